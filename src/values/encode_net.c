/* encode_net.c - network and hardware addresses. */
#include "values/encode_impl.h"
#include "values/oids.h"
#include "values/value_net.h"

/* network_recv: the family (PGSQL_AF_INET, PGSQL_AF_INET6), the bits, whether it is a cidr, how
 * many bytes, and these. */
evpq_error *encode_inet(const struct encoding *e)
{
    enum { FAMILY4 = 2, FAMILY6 = 3 };
    evpq_inet read;
    const evpq_inet *a = e->arg->value.data;
    if (e->arg->kind == EVPQ_ARG_TEXT) {
        enum value_fit fit =
            net_read(e->arg->value.data, e->arg->length, e->type == OID_CIDR, &read);
        if (fit != VALUE_FITS)
            return encode_misread(e, fit);
        a = &read;
    } else if (e->arg->kind != EVPQ_ARG_INET || (e->type == OID_CIDR) != (a->is_cidr != 0)) {
        return encode_mismatch(e);
    }
    if (a->family != EVPQ_INET4 && a->family != EVPQ_INET6)
        return encode_wrong(e, "has a family that is neither EVPQ_INET4 nor EVPQ_INET6");
    uint8_t size = a->family == EVPQ_INET4 ? 4 : 16;
    if (a->bits > 8 * size)
        return encode_wrong(e, "has more bits than its address");
    const uint8_t head[] = {a->family == EVPQ_INET4 ? FAMILY4 : FAMILY6, a->bits, a->is_cidr != 0,
                            size};
    return encode_put(bytes_put(e->to, head, sizeof head) && bytes_put(e->to, a->address, size));
}

evpq_error *encode_macaddr(const struct encoding *e)
{
    uint8_t mac[MAC_BYTES];
    if (e->arg->kind != EVPQ_ARG_TEXT)
        return encode_mismatch(e);
    enum value_fit fit = mac_read(e->arg->value.data, e->arg->length, mac, sizeof mac);
    return fit == VALUE_FITS ? encode_put(bytes_put(e->to, mac, sizeof mac))
                             : encode_misread(e, fit);
}
