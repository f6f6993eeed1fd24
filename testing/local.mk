# testing/local.mk - libevpq-test, what programs use in their own tests. It knows neither libevpq nor libpq.

pkginclude_HEADERS += include/evpq/testing.h
pkgconfig_DATA += evpq-test.pc

# All of its code, once: the tests of evpq itself link it too, and see what is hidden.
noinst_LTLIBRARIES += libtesting.la
libtesting_la_SOURCES = \
	testing/answer.c \
	testing/backend.c \
	testing/bytes.h \
	testing/journal.c \
	testing/journal.h \
	testing/message.c \
	testing/opts.c \
	testing/opts.h \
	testing/own.c \
	testing/prepared.c \
	testing/proxy.c \
	testing/proxy.h \
	testing/proxy_api.c \
	testing/proxy_door.c \
	testing/proxy_impl.h \
	testing/proxy_link.c \
	testing/proxy_scan.c \
	testing/proxy_scan.h \
	testing/proxy_trap.c \
	testing/run.c \
	testing/script.c \
	testing/script.h \
	testing/server.c \
	testing/server_impl.h \
	testing/types.c \
	testing/types.h \
	testing/verb.c \
	testing/worker.c \
	testing/worker.h
libtesting_la_LIBADD = -lm

lib_LTLIBRARIES += libevpq-test.la
libevpq_test_la_SOURCES =
libevpq_test_la_LIBADD = libtesting.la
libevpq_test_la_LDFLAGS = $(PTHREAD_CFLAGS) $(INSTRUMENT_CFLAGS) $(HARDEN_LDFLAGS) -version-info $(EVPQ_TEST_ABI) -no-undefined
if VERSION_SCRIPT
libevpq_test_la_LDFLAGS += -Wl,--version-script=$(srcdir)/testing/evpq-test.map
endif
EXTRA_libevpq_test_la_DEPENDENCIES = testing/evpq-test.map

EXTRA_DIST += \
	testing/evpq-test.abi \
	testing/evpq-test.map
