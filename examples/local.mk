# examples/local.mk - evpq-run and the examples: they see the public headers and the shared library alone.

example_libs = libevpq.la $(LIBEV_LIBS)

# What the programs share at their start.
noinst_LTLIBRARIES += libcli.la
libcli_la_SOURCES = \
	examples/common/cli.c \
	examples/common/cli.h

# All of evpq-run but its main(), so that its parts can be tested each on its own.
noinst_LTLIBRARIES += librun.la
librun_la_LIBADD = libcli.la
librun_la_SOURCES = \
	examples/evpq-run/buf.c \
	examples/evpq-run/buf.h \
	examples/evpq-run/csv.c \
	examples/evpq-run/csv.h \
	examples/evpq-run/failure.c \
	examples/evpq-run/failure.h \
	examples/evpq-run/format.c \
	examples/evpq-run/format.h \
	examples/evpq-run/format_csv.c \
	examples/evpq-run/format_json.c \
	examples/evpq-run/format_table.c \
	examples/evpq-run/input.c \
	examples/evpq-run/input.h \
	examples/evpq-run/opts.c \
	examples/evpq-run/opts.h \
	examples/evpq-run/order.c \
	examples/evpq-run/order.h \
	examples/evpq-run/out.c \
	examples/evpq-run/out.h \
	examples/evpq-run/outcome.c \
	examples/evpq-run/outcome.h \
	examples/evpq-run/progress.c \
	examples/evpq-run/progress.h \
	examples/evpq-run/refuse.c \
	examples/evpq-run/refuse.h \
	examples/evpq-run/rejects.c \
	examples/evpq-run/rejects.h \
	examples/evpq-run/runner.c \
	examples/evpq-run/runner.h \
	examples/evpq-run/scan.c \
	examples/evpq-run/scan.h \
	examples/evpq-run/scan_words.c \
	examples/evpq-run/session.c \
	examples/evpq-run/session.h \
	examples/evpq-run/signals.c \
	examples/evpq-run/signals.h \
	examples/evpq-run/sink.c \
	examples/evpq-run/sink.h \
	examples/evpq-run/source.c \
	examples/evpq-run/source.h \
	examples/evpq-run/split.c \
	examples/evpq-run/split.h \
	examples/evpq-run/stats.c \
	examples/evpq-run/stats.h \
	examples/evpq-run/utf8.c \
	examples/evpq-run/utf8.h \
	examples/evpq-run/window.c \
	examples/evpq-run/window.h

bin_PROGRAMS = evpq-run
evpq_run_SOURCES = examples/evpq-run/main.c
evpq_run_LDADD = librun.la $(example_libs)

# The same for the tests, which start it often: in the place of one that is to be installed there is a script, which
# takes four times as long to start as the program does.
noinst_PROGRAMS += examples/evpq-run/evpq-run
examples_evpq_run_evpq_run_SOURCES = $(evpq_run_SOURCES)
examples_evpq_run_evpq_run_LDADD = $(evpq_run_LDADD)

example_programs = \
	examples/blocking \
	examples/callbacks \
	examples/cancel \
	examples/copypipe/copypipe \
	examples/errors \
	examples/first \
	examples/foreign \
	examples/gather \
	examples/jobqueue/jobqueue \
	examples/migrate/await \
	examples/migrate/blocking \
	examples/migrate/tasks \
	examples/overlap \
	examples/stream \
	examples/task \
	examples/testing/test_bank \
	examples/then \
	examples/threads \
	examples/transaction \
	examples/transfer \
	examples/types
examples_blocking_LDADD = $(example_libs)
examples_callbacks_LDADD = $(example_libs)
examples_cancel_LDADD = $(example_libs)
examples_copypipe_copypipe_SOURCES = \
	examples/copypipe/bar.c \
	examples/copypipe/bar.h \
	examples/copypipe/main.c \
	examples/copypipe/opts.c \
	examples/copypipe/opts.h \
	examples/copypipe/plan.c \
	examples/copypipe/plan.h
examples_copypipe_copypipe_LDADD = libcli.la $(example_libs)
examples_errors_LDADD = $(example_libs)
examples_first_LDADD = $(example_libs)
examples_foreign_LDADD = $(example_libs)
examples_gather_LDADD = $(example_libs)
examples_jobqueue_jobqueue_SOURCES = \
	examples/jobqueue/app.h \
	examples/jobqueue/main.c \
	examples/jobqueue/opts.c \
	examples/jobqueue/opts.h \
	examples/jobqueue/queue.c \
	examples/jobqueue/work.c
examples_jobqueue_jobqueue_LDADD = libcli.la $(example_libs)
examples_migrate_await_LDADD = $(example_libs)
examples_migrate_blocking_LDADD = $(LIBPQ_LIBS)
examples_migrate_tasks_LDADD = $(example_libs)
examples_overlap_LDADD = $(example_libs)
examples_stream_LDADD = $(example_libs)
examples_task_LDADD = $(example_libs)
examples_testing_test_bank_SOURCES = \
	examples/testing/bank.c \
	examples/testing/bank.h \
	examples/testing/test_bank.c
examples_testing_test_bank_LDADD = libevpq-test.la $(example_libs)
examples_then_LDADD = $(example_libs)
examples_threads_LDADD = $(example_libs)
examples_transaction_LDADD = $(example_libs)
examples_transfer_LDADD = $(example_libs)
examples_types_LDADD = $(example_libs)

# In loops of other kinds, where there are their libraries. libevent comes before libev, which has functions of the same
# names.
example_programs += examples/loops/epoll
examples_loops_epoll_LDADD = $(example_libs)
if HAVE_GLIB
example_programs += examples/loops/glib
endif
examples_loops_glib_CPPFLAGS = $(AM_CPPFLAGS) $(GLIB_CFLAGS)
examples_loops_glib_LDADD = $(example_libs) $(GLIB_LIBS)
if HAVE_LIBEVENT
example_programs += examples/loops/libevent
endif
examples_loops_libevent_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
examples_loops_libevent_LDADD = libevpq.la $(LIBEVENT_LIBS) $(LIBEV_LIBS)
if HAVE_SD_EVENT
example_programs += examples/loops/sd-event
endif
examples_loops_sd_event_CPPFLAGS = $(AM_CPPFLAGS) $(SD_EVENT_CFLAGS)
examples_loops_sd_event_LDADD = $(example_libs) $(SD_EVENT_LIBS)
if HAVE_UV
example_programs += examples/loops/uv
endif
examples_loops_uv_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)
examples_loops_uv_LDADD = $(example_libs) $(UV_LIBS)

# In C++, where there is a compiler for C++20.
if HAVE_CXX20
example_programs += examples/coroutine
endif
examples_coroutine_SOURCES = examples/coroutine.cpp
examples_coroutine_CPPFLAGS = $(cpp_flags)
examples_coroutine_LDADD = $(example_libs)

# A web server, where there is GNU libmicrohttpd.
if HAVE_MICROHTTPD
example_programs += examples/web/web
endif
examples_web_web_SOURCES = \
	examples/web/head.c \
	examples/web/head.h \
	examples/web/main.c \
	examples/web/opts.c \
	examples/web/opts.h \
	examples/web/patience.c \
	examples/web/patience.h \
	examples/web/reply.c \
	examples/web/reply.h \
	examples/web/routes.c \
	examples/web/routes.h \
	examples/web/server.c \
	examples/web/server.h \
	examples/web/text.c \
	examples/web/text.h
examples_web_web_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
examples_web_web_LDADD = libcli.la $(example_libs) $(MICROHTTPD_LIBS)

# The loader of training data: all but its main(), for its test.
noinst_LTLIBRARIES += libloader.la
libloader_la_SOURCES = \
	examples/loader/array.c \
	examples/loader/array.h \
	examples/loader/arrow.h \
	examples/loader/builder.c \
	examples/loader/builder.h \
	examples/loader/chunk.c \
	examples/loader/chunk.h \
	examples/loader/columns.c \
	examples/loader/columns.h \
	examples/loader/epoch.c \
	examples/loader/fetch.c \
	examples/loader/impl.h \
	examples/loader/loader.c \
	examples/loader/loader.h \
	examples/loader/shuffle.c \
	examples/loader/shuffle.h \
	examples/loader/state.c \
	examples/loader/table.c \
	examples/loader/tally.c \
	examples/loader/tally.h

example_programs += examples/loader/loader
examples_loader_loader_SOURCES = \
	examples/loader/main.c \
	examples/loader/opts.c \
	examples/loader/opts.h \
	examples/loader/progress.c \
	examples/loader/progress.h
examples_loader_loader_LDADD = libloader.la libcli.la $(example_libs)

noinst_PROGRAMS += $(example_programs)

EXTRA_DIST += \
	examples/demo/run-demo \
	examples/migrate/schema.sql \
	examples/web/demo \
	examples/web/fortunes.html \
	examples/web/schema.sql
