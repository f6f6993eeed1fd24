# bench/local.mk - measurements. `make check' builds them, so that they keep up with the library.

bench_programs = \
	bench/delay \
	bench/evpq-bench \
	bench/host-bench \
	bench/raw-bench \
	bench/task-bench
bench_delay_SOURCES = bench/delay.c
bench_delay_LDADD =
bench_evpq_bench_SOURCES = \
	bench/common.c \
	bench/common.h \
	bench/evpq.c \
	bench/evpq.h \
	bench/evpq_copy.c \
	bench/evpq_pool.c \
	bench/evpq_pump.c \
	bench/evpq_whole.c
bench_evpq_bench_LDADD = $(example_libs) $(LIBPQ_LIBS)
bench_host_bench_SOURCES = \
	bench/common.c \
	bench/common.h \
	bench/hosts.c \
	$(host_sources)
bench_host_bench_CPPFLAGS = $(AM_CPPFLAGS) $(host_flags)
bench_host_bench_LDADD = libevpq.la $(host_libs) $(LIBEV_LIBS) $(LIBPQ_LIBS)
bench_raw_bench_SOURCES = \
	bench/common.c \
	bench/common.h \
	bench/raw.c \
	bench/raw.h \
	bench/raw_copy.c \
	bench/raw_pump.c \
	bench/raw_whole.c
bench_raw_bench_LDADD = $(LIBPQ_LIBS)
bench_task_bench_SOURCES = \
	bench/common.c \
	bench/common.h \
	bench/evpq.h \
	bench/evpq_pool.c \
	bench/tasks.c \
	bench/tasks.h \
	bench/tasks_many.c \
	bench/tasks_switch.c
bench_task_bench_LDADD = $(example_libs) $(LIBPQ_LIBS)

if HAVE_CXX20
bench_programs += bench/coroutines
endif
bench_coroutines_SOURCES = bench/coroutines.cpp
bench_coroutines_CPPFLAGS = $(cpp_flags)
bench_coroutines_LDADD = $(example_libs)

check_PROGRAMS += $(bench_programs)

EXTRA_DIST += \
	bench/allocs \
	bench/callgrind.py \
	bench/icount \
	bench/loader/peer.py \
	bench/loader/run \
	bench/peers/asyncpg_bench.py \
	bench/peers/tokio/Cargo.toml \
	bench/peers/tokio/src/main.rs \
	bench/report.py \
	bench/run \
	bench/stage.py \
	bench/tasks \
	bench/web/count.lua \
	bench/web/overload \
	bench/web/peer.py \
	bench/web/run \
	bench/web/site_under_test.py
