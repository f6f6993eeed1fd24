/* evpq/args-list.h - how EVPQ_ARGS of args.h works; there is nothing here to call.
 *
 * The arguments are counted, by what they push off the end of a list of numbers, and the count
 * picks a macro. A count of one may also be none at all: EVPQ_ARGS_COMMA put before and () behind
 * the argument make a call, and so a comma, only when nothing stands between (or when the argument
 * begins with a parenthesis, which shows without the () too). */
#ifndef EVPQ_ARGS_LIST_H
#define EVPQ_ARGS_LIST_H

#include <evpq/args.h>

/* clang-format off */

#define EVPQ_ARGS(...)                                                                             \
    EVPQ_ARGS_PASTE(EVPQ_ARGS_, EVPQ_ARGS_COUNT(__VA_ARGS__))(__VA_ARGS__)

#define EVPQ_ARG(x)                                                                                \
    _Generic((x),                                                                                  \
        _Bool: evpq_bool,                                                                          \
        signed char: evpq_int,                                                                     \
        unsigned char: evpq_uint,                                                                  \
        short: evpq_int,                                                                           \
        unsigned short: evpq_uint,                                                                 \
        int: evpq_int,                                                                             \
        unsigned int: evpq_uint,                                                                   \
        long: evpq_int,                                                                            \
        unsigned long: evpq_uint,                                                                  \
        long long: evpq_int,                                                                       \
        unsigned long long: evpq_uint,                                                             \
        float: evpq_float,                                                                         \
        double: evpq_double,                                                                       \
        char *: evpq_text,                                                                         \
        const char *: evpq_text,                                                                   \
        evpq_arg: evpq_same)(x)

#define EVPQ_ARGS_PASTE(a, b) EVPQ_ARGS_PASTE_(a, b)
#define EVPQ_ARGS_PASTE_(a, b) a##b
#define EVPQ_ARGS_COMMA(...) ~, 1,
#define EVPQ_ARGS_SECOND(...) EVPQ_ARGS_SECOND_(__VA_ARGS__, 0, 0)
#define EVPQ_ARGS_SECOND_(a, b, ...) b
#define EVPQ_ARGS_COUNT(...)                                                                       \
    EVPQ_ARGS_COUNT_(__VA_ARGS__,                                                                  \
                     48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31,       \
                     30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13,       \
                     12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define EVPQ_ARGS_COUNT_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16,    \
                         a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30,     \
                         a31, a32, a33, a34, a35, a36, a37, a38, a39, a40, a41, a42, a43, a44,     \
                         a45, a46, a47, a48, n, ...)                                               \
    n

#define EVPQ_ARGS_LIST(n, ...) ((evpq_args){n, (const evpq_arg[]){__VA_ARGS__}, 0})

#define EVPQ_ARGS_1(a)                                                                             \
    EVPQ_ARGS_PASTE(EVPQ_ARGS_ONE_, EVPQ_ARGS_PASTE(EVPQ_ARGS_SECOND(EVPQ_ARGS_COMMA a),           \
                                                    EVPQ_ARGS_SECOND(EVPQ_ARGS_COMMA a())))(a)
#define EVPQ_ARGS_ONE_00(a) EVPQ_ARGS_LIST(1, EVPQ_ARG(a))
#define EVPQ_ARGS_ONE_11(a) EVPQ_ARGS_LIST(1, EVPQ_ARG(a))
#define EVPQ_ARGS_ONE_01(a) ((evpq_args){0, NULL, 0})

#define EVPQ_ARGS_2(...) EVPQ_ARGS_LIST(2, EVPQ_ARGS_EACH_2(__VA_ARGS__))
#define EVPQ_ARGS_3(...) EVPQ_ARGS_LIST(3, EVPQ_ARGS_EACH_3(__VA_ARGS__))
#define EVPQ_ARGS_4(...) EVPQ_ARGS_LIST(4, EVPQ_ARGS_EACH_4(__VA_ARGS__))
#define EVPQ_ARGS_5(...) EVPQ_ARGS_LIST(5, EVPQ_ARGS_EACH_5(__VA_ARGS__))
#define EVPQ_ARGS_6(...) EVPQ_ARGS_LIST(6, EVPQ_ARGS_EACH_6(__VA_ARGS__))
#define EVPQ_ARGS_7(...) EVPQ_ARGS_LIST(7, EVPQ_ARGS_EACH_7(__VA_ARGS__))
#define EVPQ_ARGS_8(...) EVPQ_ARGS_LIST(8, EVPQ_ARGS_EACH_8(__VA_ARGS__))
#define EVPQ_ARGS_9(...) EVPQ_ARGS_LIST(9, EVPQ_ARGS_EACH_9(__VA_ARGS__))
#define EVPQ_ARGS_10(...) EVPQ_ARGS_LIST(10, EVPQ_ARGS_EACH_10(__VA_ARGS__))
#define EVPQ_ARGS_11(...) EVPQ_ARGS_LIST(11, EVPQ_ARGS_EACH_11(__VA_ARGS__))
#define EVPQ_ARGS_12(...) EVPQ_ARGS_LIST(12, EVPQ_ARGS_EACH_12(__VA_ARGS__))
#define EVPQ_ARGS_13(...) EVPQ_ARGS_LIST(13, EVPQ_ARGS_EACH_13(__VA_ARGS__))
#define EVPQ_ARGS_14(...) EVPQ_ARGS_LIST(14, EVPQ_ARGS_EACH_14(__VA_ARGS__))
#define EVPQ_ARGS_15(...) EVPQ_ARGS_LIST(15, EVPQ_ARGS_EACH_15(__VA_ARGS__))
#define EVPQ_ARGS_16(...) EVPQ_ARGS_LIST(16, EVPQ_ARGS_EACH_16(__VA_ARGS__))
#define EVPQ_ARGS_17(...) EVPQ_ARGS_LIST(17, EVPQ_ARGS_EACH_17(__VA_ARGS__))
#define EVPQ_ARGS_18(...) EVPQ_ARGS_LIST(18, EVPQ_ARGS_EACH_18(__VA_ARGS__))
#define EVPQ_ARGS_19(...) EVPQ_ARGS_LIST(19, EVPQ_ARGS_EACH_19(__VA_ARGS__))
#define EVPQ_ARGS_20(...) EVPQ_ARGS_LIST(20, EVPQ_ARGS_EACH_20(__VA_ARGS__))
#define EVPQ_ARGS_21(...) EVPQ_ARGS_LIST(21, EVPQ_ARGS_EACH_21(__VA_ARGS__))
#define EVPQ_ARGS_22(...) EVPQ_ARGS_LIST(22, EVPQ_ARGS_EACH_22(__VA_ARGS__))
#define EVPQ_ARGS_23(...) EVPQ_ARGS_LIST(23, EVPQ_ARGS_EACH_23(__VA_ARGS__))
#define EVPQ_ARGS_24(...) EVPQ_ARGS_LIST(24, EVPQ_ARGS_EACH_24(__VA_ARGS__))
#define EVPQ_ARGS_25(...) EVPQ_ARGS_LIST(25, EVPQ_ARGS_EACH_25(__VA_ARGS__))
#define EVPQ_ARGS_26(...) EVPQ_ARGS_LIST(26, EVPQ_ARGS_EACH_26(__VA_ARGS__))
#define EVPQ_ARGS_27(...) EVPQ_ARGS_LIST(27, EVPQ_ARGS_EACH_27(__VA_ARGS__))
#define EVPQ_ARGS_28(...) EVPQ_ARGS_LIST(28, EVPQ_ARGS_EACH_28(__VA_ARGS__))
#define EVPQ_ARGS_29(...) EVPQ_ARGS_LIST(29, EVPQ_ARGS_EACH_29(__VA_ARGS__))
#define EVPQ_ARGS_30(...) EVPQ_ARGS_LIST(30, EVPQ_ARGS_EACH_30(__VA_ARGS__))
#define EVPQ_ARGS_31(...) EVPQ_ARGS_LIST(31, EVPQ_ARGS_EACH_31(__VA_ARGS__))
#define EVPQ_ARGS_32(...) EVPQ_ARGS_LIST(32, EVPQ_ARGS_EACH_32(__VA_ARGS__))
#define EVPQ_ARGS_33(...) EVPQ_ARGS_LIST(33, EVPQ_ARGS_EACH_33(__VA_ARGS__))
#define EVPQ_ARGS_34(...) EVPQ_ARGS_LIST(34, EVPQ_ARGS_EACH_34(__VA_ARGS__))
#define EVPQ_ARGS_35(...) EVPQ_ARGS_LIST(35, EVPQ_ARGS_EACH_35(__VA_ARGS__))
#define EVPQ_ARGS_36(...) EVPQ_ARGS_LIST(36, EVPQ_ARGS_EACH_36(__VA_ARGS__))
#define EVPQ_ARGS_37(...) EVPQ_ARGS_LIST(37, EVPQ_ARGS_EACH_37(__VA_ARGS__))
#define EVPQ_ARGS_38(...) EVPQ_ARGS_LIST(38, EVPQ_ARGS_EACH_38(__VA_ARGS__))
#define EVPQ_ARGS_39(...) EVPQ_ARGS_LIST(39, EVPQ_ARGS_EACH_39(__VA_ARGS__))
#define EVPQ_ARGS_40(...) EVPQ_ARGS_LIST(40, EVPQ_ARGS_EACH_40(__VA_ARGS__))
#define EVPQ_ARGS_41(...) EVPQ_ARGS_LIST(41, EVPQ_ARGS_EACH_41(__VA_ARGS__))
#define EVPQ_ARGS_42(...) EVPQ_ARGS_LIST(42, EVPQ_ARGS_EACH_42(__VA_ARGS__))
#define EVPQ_ARGS_43(...) EVPQ_ARGS_LIST(43, EVPQ_ARGS_EACH_43(__VA_ARGS__))
#define EVPQ_ARGS_44(...) EVPQ_ARGS_LIST(44, EVPQ_ARGS_EACH_44(__VA_ARGS__))
#define EVPQ_ARGS_45(...) EVPQ_ARGS_LIST(45, EVPQ_ARGS_EACH_45(__VA_ARGS__))
#define EVPQ_ARGS_46(...) EVPQ_ARGS_LIST(46, EVPQ_ARGS_EACH_46(__VA_ARGS__))
#define EVPQ_ARGS_47(...) EVPQ_ARGS_LIST(47, EVPQ_ARGS_EACH_47(__VA_ARGS__))
#define EVPQ_ARGS_48(...) EVPQ_ARGS_LIST(48, EVPQ_ARGS_EACH_48(__VA_ARGS__))

#define EVPQ_ARGS_EACH_1(a) EVPQ_ARG(a)
#define EVPQ_ARGS_EACH_2(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_1(__VA_ARGS__)
#define EVPQ_ARGS_EACH_3(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_2(__VA_ARGS__)
#define EVPQ_ARGS_EACH_4(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_3(__VA_ARGS__)
#define EVPQ_ARGS_EACH_5(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_4(__VA_ARGS__)
#define EVPQ_ARGS_EACH_6(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_5(__VA_ARGS__)
#define EVPQ_ARGS_EACH_7(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_6(__VA_ARGS__)
#define EVPQ_ARGS_EACH_8(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_7(__VA_ARGS__)
#define EVPQ_ARGS_EACH_9(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_8(__VA_ARGS__)
#define EVPQ_ARGS_EACH_10(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_9(__VA_ARGS__)
#define EVPQ_ARGS_EACH_11(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_10(__VA_ARGS__)
#define EVPQ_ARGS_EACH_12(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_11(__VA_ARGS__)
#define EVPQ_ARGS_EACH_13(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_12(__VA_ARGS__)
#define EVPQ_ARGS_EACH_14(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_13(__VA_ARGS__)
#define EVPQ_ARGS_EACH_15(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_14(__VA_ARGS__)
#define EVPQ_ARGS_EACH_16(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_15(__VA_ARGS__)
#define EVPQ_ARGS_EACH_17(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_16(__VA_ARGS__)
#define EVPQ_ARGS_EACH_18(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_17(__VA_ARGS__)
#define EVPQ_ARGS_EACH_19(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_18(__VA_ARGS__)
#define EVPQ_ARGS_EACH_20(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_19(__VA_ARGS__)
#define EVPQ_ARGS_EACH_21(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_20(__VA_ARGS__)
#define EVPQ_ARGS_EACH_22(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_21(__VA_ARGS__)
#define EVPQ_ARGS_EACH_23(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_22(__VA_ARGS__)
#define EVPQ_ARGS_EACH_24(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_23(__VA_ARGS__)
#define EVPQ_ARGS_EACH_25(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_24(__VA_ARGS__)
#define EVPQ_ARGS_EACH_26(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_25(__VA_ARGS__)
#define EVPQ_ARGS_EACH_27(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_26(__VA_ARGS__)
#define EVPQ_ARGS_EACH_28(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_27(__VA_ARGS__)
#define EVPQ_ARGS_EACH_29(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_28(__VA_ARGS__)
#define EVPQ_ARGS_EACH_30(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_29(__VA_ARGS__)
#define EVPQ_ARGS_EACH_31(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_30(__VA_ARGS__)
#define EVPQ_ARGS_EACH_32(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_31(__VA_ARGS__)
#define EVPQ_ARGS_EACH_33(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_32(__VA_ARGS__)
#define EVPQ_ARGS_EACH_34(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_33(__VA_ARGS__)
#define EVPQ_ARGS_EACH_35(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_34(__VA_ARGS__)
#define EVPQ_ARGS_EACH_36(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_35(__VA_ARGS__)
#define EVPQ_ARGS_EACH_37(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_36(__VA_ARGS__)
#define EVPQ_ARGS_EACH_38(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_37(__VA_ARGS__)
#define EVPQ_ARGS_EACH_39(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_38(__VA_ARGS__)
#define EVPQ_ARGS_EACH_40(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_39(__VA_ARGS__)
#define EVPQ_ARGS_EACH_41(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_40(__VA_ARGS__)
#define EVPQ_ARGS_EACH_42(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_41(__VA_ARGS__)
#define EVPQ_ARGS_EACH_43(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_42(__VA_ARGS__)
#define EVPQ_ARGS_EACH_44(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_43(__VA_ARGS__)
#define EVPQ_ARGS_EACH_45(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_44(__VA_ARGS__)
#define EVPQ_ARGS_EACH_46(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_45(__VA_ARGS__)
#define EVPQ_ARGS_EACH_47(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_46(__VA_ARGS__)
#define EVPQ_ARGS_EACH_48(a, ...) EVPQ_ARG(a), EVPQ_ARGS_EACH_47(__VA_ARGS__)

/* clang-format on */

#endif
