/* version.c - what the loaded library is. */
#include <evpq/version.h>

int evpq_version(void)
{
    return EVPQ_VERSION_NUMBER;
}
