# testing/local.mk - what can be of use in tests of other programs, too.

noinst_LTLIBRARIES += libtesting.la
libtesting_la_SOURCES = \
	testing/proxy.c \
	testing/proxy.h \
	testing/proxy_door.c \
	testing/proxy_impl.h \
	testing/proxy_link.c \
	testing/proxy_scan.c \
	testing/proxy_scan.h \
	testing/proxy_trap.c \
	testing/worker.c \
	testing/worker.h
libtesting_la_LIBADD = -lm
