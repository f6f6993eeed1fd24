# tests/local.mk - what `make check' builds and runs.

# Loops of other kinds, with evpq in them: for tests/it_hosts and bench/host-bench.
host_sources = \
	tests/hosts/epoll.c \
	tests/hosts/hosts.c \
	tests/hosts/hosts.h \
	tests/hosts/libev.c
host_test = tests/it_hosts
host_flags =
host_libs =
if HAVE_GLIB
host_sources += tests/hosts/glib.c
host_flags += -DHOST_GLIB $(GLIB_CFLAGS)
host_libs += $(GLIB_LIBS)
endif
if HAVE_LIBEVENT
host_sources += tests/hosts/libevent.c
host_flags += -DHOST_LIBEVENT $(LIBEVENT_CFLAGS)
host_libs += $(LIBEVENT_LIBS)
endif
if HAVE_SD_EVENT
host_sources += tests/hosts/sd-event.c
host_flags += -DHOST_SD_EVENT $(SD_EVENT_CFLAGS)
host_libs += $(SD_EVENT_LIBS)
endif
if HAVE_UV
host_sources += tests/hosts/uv.c
host_flags += -DHOST_UV $(UV_CFLAGS)
host_libs += $(UV_LIBS)
endif

unit_tests = \
	tests/test_args \
	tests/test_await \
	tests/test_cells \
	tests/test_channel \
	tests/test_channel_schedules \
	tests/test_codec \
	tests/test_combine \
	tests/test_completed \
	tests/test_conninfo \
	tests/test_embed \
	tests/test_encode \
	tests/test_error \
	tests/test_follow \
	tests/test_forked \
	tests/test_future \
	tests/test_group \
	tests/test_handshake \
	tests/test_invariant \
	tests/test_left_open \
	tests/test_list \
	tests/test_loop \
	tests/test_map \
	tests/test_mem \
	tests/test_nested \
	tests/test_oom \
	tests/test_opts \
	tests/test_opts_read \
	tests/test_outcome \
	tests/test_overflow \
	tests/test_pq \
	tests/test_promise \
	tests/test_proxy \
	tests/test_proxy_api \
	tests/test_proxy_traps \
	tests/test_quote \
	tests/test_ready \
	tests/test_recycle \
	tests/test_request \
	tests/test_resolve \
	tests/test_result \
	tests/test_rng \
	tests/test_rowset \
	tests/test_run_csv \
	tests/test_run_format \
	tests/test_run_output \
	tests/test_run_progress \
	tests/test_run_source \
	tests/test_run_split \
	tests/test_run_stats \
	tests/test_runq \
	tests/test_scan \
	tests/test_schedules \
	tests/test_scripted \
	tests/test_scripted_wire \
	tests/test_semaphore \
	tests/test_sha256 \
	tests/test_sql \
	tests/test_stack \
	tests/test_stack_ucontext \
	tests/test_stmt \
	tests/test_support \
	tests/test_task \
	tests/test_task_oom \
	tests/test_task_schedules \
	tests/test_task_sync \
	tests/test_task_threads \
	tests/test_thread \
	tests/test_value \
	tests/test_value_bytes \
	tests/test_value_decimal \
	tests/test_value_fuzz \
	tests/test_value_interval \
	tests/test_value_net \
	tests/test_value_number \
	tests/test_value_numeric \
	tests/test_value_time \
	tests/test_wrong_thread

integration_tests = \
	tests/it_bank \
	tests/it_batch \
	tests/it_begin \
	tests/it_callbacks \
	tests/it_cancel \
	tests/it_cancel_points \
	tests/it_checks \
	tests/it_codec \
	tests/it_connect \
	tests/it_conninfo \
	tests/it_copy \
	tests/it_copy_faults \
	tests/it_copy_oom \
	tests/it_copy_rows \
	tests/it_cork \
	tests/it_dispatch \
	tests/it_encoding \
	tests/it_fork \
	tests/it_freeing \
	tests/it_hosts \
	tests/it_hung \
	tests/it_late \
	tests/it_lease \
	tests/it_lease_txn \
	tests/it_listen \
	tests/it_loader \
	tests/it_memory \
	tests/it_notices \
	tests/it_oom \
	tests/it_pgbouncer \
	tests/it_pipeline \
	tests/it_pool \
	tests/it_promises \
	tests/it_queue \
	tests/it_quote \
	tests/it_read \
	tests/it_stale \
	tests/it_savepoints \
	tests/it_sizing \
	tests/it_statements \
	tests/it_stream \
	tests/it_support \
	tests/it_syscalls \
	tests/it_tasks \
	tests/it_tls \
	tests/it_transact \
	tests/it_txn \
	tests/it_types \
	tests/it_types_random \
	tests/it_types_read \
	tests/it_types_write \
	tests/it_unknown_types \
	tests/it_unsupported \
	tests/it_unwatched \
	tests/it_why \
	tests/it_wire

# Those that read the source folder.
tree_tests = \
	tests/check-abi \
	tests/check-cpp \
	tests/check-docs \
	tests/check-exports \
	tests/check-faults \
	tests/check-headers \
	tests/check-layers \
	tests/check-states \
	tests/check-static \
	tests/it_bench \
	tests/it_examples

# In `make check'.
script_tests = \
	tests/check-abi \
	tests/check-cpp \
	tests/check-docs \
	tests/check-exports \
	tests/check-faults \
	tests/check-headers \
	tests/check-layers \
	tests/check-sim \
	tests/check-states \
	tests/check-static \
	tests/it_copypipe \
	tests/it_edges \
	tests/it_examples \
	tests/it_jobqueue \
	tests/it_loader_program \
	tests/it_probe \
	tests/it_run \
	tests/it_torture \
	tests/it_traps \
	tests/it_web

# In `make check-long': those of the tools that the tests and the measurements are made with, and random schedules, of
# which `make check' has a few.
tool_tests = \
	tests/check-differential \
	tests/check-postgres \
	tests/it_bench \
	tests/it_with_pgbouncer \
	tests/it_with_pgpool
schedule_tests = \
	tests/test_channel_schedules \
	tests/test_schedules \
	tests/test_task_schedules
# What they repeat with other numbers each time (check_rounds) is repeated in full by check-long.
random_tests = \
	tests/it_cancel \
	tests/it_stream \
	tests/it_wire
long_tests = $(tool_tests)

# Hours: `make check-torture'.
torture_tests = \
	tests/it_torture_long

# Those whose code runs in more than one thread: `make check-threads` under ThreadSanitizer.
thread_tests = \
	tests/test_forked \
	tests/test_pq \
	tests/test_proxy \
	tests/test_proxy_api \
	tests/test_proxy_traps \
	tests/test_resolve \
	tests/test_scripted \
	tests/test_scripted_wire \
	tests/test_task_threads \
	tests/test_thread \
	tests/test_wrong_thread

EXTRA_DIST += \
	$(script_tests) \
	$(tool_tests) \
	$(torture_tests) \
	tests/cpp/unreached \
	tests/cpp/without_exceptions.cpp \
	tests/differential/Compare.pm \
	tests/differential/README.md \
	tests/differential/Said.pm \
	tests/differential/Script.pm \
	tests/differential/accepted \
	tests/differential/fetch \
	tests/differential/run \
	tests/differential/side \
	tests/differential/types \
	tests/differential/values \
	tests/fuzz/README.md \
	tests/fuzz/broken \
	tests/fuzz/corpus \
	tests/fuzz/run \
	tests/mutants/Edits.pm \
	tests/mutants/Program.pm \
	tests/mutants/Server.pm \
	tests/mutants/Simulator.pm \
	tests/mutants/Tests.pm \
	tests/mutants/accepted \
	tests/mutants/pick.c \
	tests/mutants/run \
	tests/mutants/tests \
	tests/run \
	tests/shared-postgres \
	tests/sim/README.md \
	tests/sim/broken/begin-chain.patch \
	tests/sim/broken/behind-a-savepoint.patch \
	tests/sim/broken/commit-gives-way.patch \
	tests/sim/broken/commit-overtaken.patch \
	tests/sim/broken/commit-refused.patch \
	tests/sim/broken/f49-names.patch \
	tests/sim/broken/f50-into.patch \
	tests/sim/broken/f51-left-open.patch \
	tests/sim/broken/f52-fatal.patch \
	tests/sim/broken/f53-at-once.patch \
	tests/sim/broken/f54-stale.patch \
	tests/sim/broken/f61-own-limit.patch \
	tests/sim/broken/f63-awaits.patch \
	tests/sim/broken/f63-jobs.patch \
	tests/sim/broken/f67-hook.patch \
	tests/sim/broken/f73-deallocate.patch \
	tests/sim/broken/gap-dropped.patch \
	tests/sim/broken/gap-lost.patch \
	tests/sim/broken/hook-deadline.patch \
	tests/sim/broken/lend-overtakes.patch \
	tests/sim/broken/lend-unbarred.patch \
	tests/sim/broken/nomem-not-sent.patch \
	tests/sim/broken/release-taken-back.patch \
	tests/sim/broken/rollback-behind.patch \
	tests/sim/broken/rollback-overtaken.patch \
	tests/sim/broken/savepoint-names.patch \
	tests/sim/broken/undone-not-sent.patch \
	tests/sim/rediscover \
	tests/sim/seeds \
	tests/sim/soak \
	tests/sim/transitions \
	tests/support/command.sh \
	tests/support/sql.sh \
	tests/support/stranger.sh \
	tests/support/traps.sql \
	tests/through \
	tests/through-poolers \
	tests/with-pgbouncer \
	tests/with-pgpool \
	tests/with-postgres \
	tests/without-check \
	tests/without-cpp

TESTS += $(script_tests)
# Not in `make check'. Automake makes a rule for each of them that it sees in TESTS, whatever the condition.
if IN_NO_CHECK
TESTS += $(tool_tests) $(torture_tests)
endif
check_PROGRAMS += tests/trapped
tests_trapped_LDADD = libevpq.la

if HAVE_CHECK
check_LTLIBRARIES = tests/libsupport.la
tests_libsupport_la_SOURCES = \
	tests/support/ask.c \
	tests/support/ask.h \
	tests/support/basics.c \
	tests/support/basics.h \
	tests/support/check.c \
	tests/support/check.h \
	tests/support/child.h \
	tests/support/clock.c \
	tests/support/clock.h \
	tests/support/comma.h \
	tests/support/dice.h \
	tests/support/fake.c \
	tests/support/fake.h \
	tests/support/names.c \
	tests/support/names.h \
	tests/support/oom.c \
	tests/support/oom.h \
	tests/support/opts.c \
	tests/support/opts.h \
	tests/support/pools.c \
	tests/support/pools.h \
	tests/support/proxy.h \
	tests/support/rig.c \
	tests/support/rig.h \
	tests/support/rowset.h \
	tests/support/scripted.h \
	tests/support/seen.h \
	tests/support/server.c \
	tests/support/server.h \
	tests/support/site.c \
	tests/support/site.h \
	tests/support/tasks.h \
	tests/support/txns.h \
	tests/support/values.c \
	tests/support/values.h \
	tests/support/values_impl.h \
	tests/support/values_nested.c \
	tests/support/watch.c \
	tests/support/watch.h
TESTS += $(unit_tests) $(integration_tests)
check_PROGRAMS += $(unit_tests) $(integration_tests)
long_tests += $(schedule_tests) $(random_tests) tests/check-sim

# Targets of fuzzers (tests/fuzz/README.md): in `make check' each runs over its corpus.
fuzz_targets = \
	tests/fuzz/conninfo \
	tests/fuzz/csv \
	tests/fuzz/nested \
	tests/fuzz/options \
	tests/fuzz/server \
	tests/fuzz/split \
	tests/fuzz/sql \
	tests/fuzz/value
TESTS += $(fuzz_targets)
check_PROGRAMS += $(fuzz_targets)
fuzz_shared = tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_conninfo_SOURCES = tests/fuzz/conninfo.c $(fuzz_shared)
tests_fuzz_csv_SOURCES = tests/fuzz/csv.c $(fuzz_shared) $(pieces)
tests_fuzz_nested_SOURCES = tests/fuzz/nested.c $(fuzz_shared)
tests_fuzz_options_SOURCES = tests/fuzz/options.c $(fuzz_shared)
tests_fuzz_server_SOURCES = tests/fuzz/server.c $(fuzz_shared)
tests_fuzz_split_SOURCES = tests/fuzz/split.c $(fuzz_shared) $(pieces)
tests_fuzz_sql_SOURCES = tests/fuzz/sql.c $(fuzz_shared)
tests_fuzz_value_SOURCES = tests/fuzz/value.c $(fuzz_shared)
tests_fuzz_csv_LDADD = $(run_libs)
tests_fuzz_split_LDADD = $(run_libs)
tests_fuzz_sql_LDADD = $(run_libs)
$(fuzz_targets): private AM_LDFLAGS += $(FUZZ_LDFLAGS)
$(fuzz_targets): private LINK = $(CCLD) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS) -o $@

# What script tests run.
check_PROGRAMS += tests/differential/reads tests/lose_commit tests/torture/torture
tests_differential_reads_SOURCES = tests/differential/reads.c
tests_torture_torture_SOURCES = \
	tests/torture/faults.c \
	tests/torture/faults.h \
	tests/torture/faults_line.c \
	tests/torture/faults_pooler.c \
	tests/torture/faults_server.c \
	tests/torture/ledger.c \
	tests/torture/torture.c \
	tests/torture/torture.h \
	tests/torture/verbs.c
# Linked without libtool, which takes four times as long as the linker: none of them is installed.
test_libs = $(lt_cv_objdir)/libcore.a $(CHECK_LIBS) $(LIBPQ_LIBS) $(LIBEV_LIBS)
LDADD = tests/$(lt_cv_objdir)/libsupport.a $(lt_cv_objdir)/libtesting.a $(test_libs) -lm
tests/$(lt_cv_objdir)/libsupport.a: tests/libsupport.la ;
$(lt_cv_objdir)/libcore.a: libcore.la ;
$(lt_cv_objdir)/librun.a: librun.la ;
$(lt_cv_objdir)/libtesting.a: libtesting.la ;
$(lt_cv_objdir)/libloader.a: libloader.la ;
$(unit_tests) $(integration_tests): private LINK = $(CCLD) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS) -o $@
# With libtool, against the shared library, as a program with libevent is: both have an event_new inside. Its calls of
# evpq_loop_turn are counted.
$(host_test): private LINK = $(LIBTOOL) $(AM_V_lt) --tag=CC --mode=link $(CCLD) $(AM_CFLAGS) $(CFLAGS) \
	$(AM_LDFLAGS) $(LDFLAGS) -o $@
$(host_test): private AM_LDFLAGS += -no-install -Wl,--wrap=evpq_loop_turn

# The simulator: libev and libpq with a kernel of its own beneath them.
check_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = \
	tests/sim/answer.c \
	tests/sim/answer.h \
	tests/sim/asks.c \
	tests/sim/asks.h \
	tests/sim/buffer.h \
	tests/sim/child.c \
	tests/sim/child.h \
	tests/sim/copying.c \
	tests/sim/copying.h \
	tests/sim/eager.c \
	tests/sim/eager.h \
	tests/sim/flows.c \
	tests/sim/flows.h \
	tests/sim/holdings.c \
	tests/sim/holdings.h \
	tests/sim/kernel.c \
	tests/sim/kernel.h \
	tests/sim/kernel_clock.c \
	tests/sim/kernel_impl.h \
	tests/sim/listening.c \
	tests/sim/listening.h \
	tests/sim/memory.c \
	tests/sim/memory.h \
	tests/sim/message.c \
	tests/sim/misuse.c \
	tests/sim/misuse.h \
	tests/sim/net.c \
	tests/sim/net.h \
	tests/sim/notify.c \
	tests/sim/notify.h \
	tests/sim/oracle.c \
	tests/sim/oracle.h \
	tests/sim/pooler.c \
	tests/sim/program.c \
	tests/sim/server.c \
	tests/sim/server.h \
	tests/sim/session.c \
	tests/sim/sim.c \
	tests/sim/sql.c \
	tests/sim/sql.h \
	tests/sim/table.c \
	tests/sim/table.h \
	tests/sim/transitions.c \
	tests/sim/transitions.h \
	tests/sim/workload.c \
	tests/sim/workload.h \
	tests/sim/world.c \
	tests/sim/world.h

# The same tests, over the switch for other processors.
tests_test_stack_ucontext_SOURCES = tests/test_stack.c src/tasks/stack.c src/tasks/switch_ucontext.c
tests_test_stack_ucontext_CPPFLAGS = -DSTACK_UCONTEXT $(AM_CPPFLAGS)

# Tasks as a build with --enable-debug has them.
tests_test_overflow_SOURCES = \
	src/tasks/await.c \
	src/tasks/group.c \
	src/tasks/overflow.c \
	src/tasks/run.c \
	src/tasks/stack.c \
	src/tasks/task.c \
	tests/test_overflow.c
tests_test_overflow_CPPFLAGS = $(AM_CPPFLAGS) -UEVPQ_DEBUG -DEVPQ_DEBUG=1

# evpq-run's own tests see its parts first.
run_libs = $(lt_cv_objdir)/librun.a $(LDADD)
pieces = tests/support/pieces.c tests/support/pieces.h
tests_test_run_csv_SOURCES = tests/test_run_csv.c $(pieces)
tests_test_run_split_SOURCES = tests/test_run_split.c $(pieces)
tests_test_run_csv_LDADD = $(run_libs)
tests_test_run_format_LDADD = $(run_libs)
tests_test_run_output_LDADD = $(run_libs)
tests_test_run_progress_LDADD = $(run_libs)
tests_test_run_source_LDADD = $(run_libs)
tests_test_run_split_LDADD = $(run_libs)
tests_test_run_stats_LDADD = $(run_libs)
tests_it_hosts_SOURCES = tests/it_hosts.c $(host_sources)
tests_it_hosts_CPPFLAGS = $(AM_CPPFLAGS) $(host_flags)
tests_it_hosts_LDADD = tests/libsupport.la libtesting.la libevpq.la $(host_libs) $(CHECK_LIBS) $(LIBPQ_LIBS) $(LIBEV_LIBS)
tests_it_loader_LDADD = $(lt_cv_objdir)/libloader.a $(LDADD)

# Those that use support/oom.h, and those that use support/clock.h: what they call is put between the
# program and the C library. The flags are for a program's own link, not for what it is made from.
oom_tests = \
	tests/sim/sim \
	tests/it_batch \
	tests/it_copy_oom \
	tests/it_listen \
	tests/it_notices \
	tests/it_oom \
	tests/it_stream \
	tests/it_syscalls \
	tests/it_txn \
	tests/test_channel \
	tests/test_codec \
	tests/test_completed \
	tests/test_conninfo \
	tests/test_embed \
	tests/test_encode \
	tests/test_error \
	tests/test_nested \
	tests/test_oom \
	tests/test_result \
	tests/test_rowset \
	tests/test_semaphore \
	tests/test_support \
	tests/test_task \
	tests/test_task_oom
clock_tests = \
	tests/it_callbacks \
	tests/it_dispatch \
	tests/it_syscalls
$(oom_tests): private AM_LDFLAGS += -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=free
$(clock_tests): private AM_LDFLAGS += -Wl,--wrap=clock_gettime
else
TESTS += tests/without-check
endif

# evpq.hpp: a program that prints TAP by itself, and sees what an installed program sees.
cpp_tests = tests/it_cpp
if HAVE_CXX20
TESTS += $(cpp_tests)
check_PROGRAMS += $(cpp_tests)
else
TESTS += tests/without-cpp
endif
tests_it_cpp_CPPFLAGS = $(cpp_flags)
tests_it_cpp_LDADD = $(example_libs)
tests_it_cpp_SOURCES = \
	tests/cpp/args.cpp \
	tests/cpp/failures.cpp \
	tests/cpp/groups.cpp \
	tests/cpp/life.cpp \
	tests/cpp/memory.cpp \
	tests/cpp/rows.cpp \
	tests/cpp/stops.cpp \
	tests/cpp/tap.cpp \
	tests/cpp/tap.hpp \
	tests/cpp/tasks.cpp \
	tests/cpp/txns.cpp

# Each test speaks TAP and is told of singly. tests/run gives it a server where its name asks for one,
# and a limit in time. The servers end with the make that runs the tests.
LOG_COMPILER = $(top_srcdir)/tests/run
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = \
	EVPQ_TEST_OWNER=$$PPID; export EVPQ_TEST_OWNER; \
	CC='$(CC)'; export CC; \
	NM='$(NM)'; export NM; \
	LIBPQ_LIBS='$(LIBPQ_LIBS)'; export LIBPQ_LIBS; \
	LDFLAGS='$(LDFLAGS)'; export LDFLAGS; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir;
