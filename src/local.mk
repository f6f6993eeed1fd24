# src/local.mk - the library and its public headers.

pkginclude_HEADERS = \
	include/evpq/args-list.h \
	include/evpq/args.h \
	include/evpq/codec.h \
	include/evpq/copy.h \
	include/evpq/error.h \
	include/evpq/evpq.h \
	include/evpq/evpq.hpp \
	include/evpq/future.h \
	include/evpq/listen.h \
	include/evpq/loop.h \
	include/evpq/nested.h \
	include/evpq/pool.h \
	include/evpq/quote.h \
	include/evpq/result.h \
	include/evpq/scan.h \
	include/evpq/stream.h \
	include/evpq/sync.h \
	include/evpq/task.h \
	include/evpq/txn.h \
	include/evpq/types.h \
	include/evpq/version.h

# A loop in a loop of another kind. Each needs that one's headers.
adaptersdir = $(pkgincludedir)/adapters
adapters_HEADERS = \
	include/evpq/adapters/epoll.h \
	include/evpq/adapters/glib.h \
	include/evpq/adapters/libevent.h \
	include/evpq/adapters/sd-event.h \
	include/evpq/adapters/uv.h

# What evpq.hpp includes.
evpqcppdir = $(pkgincludedir)/cpp
evpqcpp_HEADERS = \
	include/evpq/cpp/args.hpp \
	include/evpq/cpp/ask.hpp \
	include/evpq/cpp/base.hpp \
	include/evpq/cpp/codec.hpp \
	include/evpq/cpp/combine.hpp \
	include/evpq/cpp/copy.hpp \
	include/evpq/cpp/future.hpp \
	include/evpq/cpp/group.hpp \
	include/evpq/cpp/listen.hpp \
	include/evpq/cpp/pool.hpp \
	include/evpq/cpp/read.hpp \
	include/evpq/cpp/result.hpp \
	include/evpq/cpp/spawn.hpp \
	include/evpq/cpp/stream.hpp \
	include/evpq/cpp/sync.hpp \
	include/evpq/cpp/task.hpp \
	include/evpq/cpp/txn.hpp \
	include/evpq/cpp/wait.hpp

pkgconfig_DATA = evpq.pc

# All of the code, once: the shared library is made from it, and the white-box tests link it whole,
# since what is hidden there is not hidden here.
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	src/async/ask.h \
	src/async/channel.c \
	src/async/combine.c \
	src/async/completed.c \
	src/async/embed.c \
	src/async/follow.c \
	src/async/future.c \
	src/async/future.h \
	src/async/loop.c \
	src/async/loop.h \
	src/async/loop_impl.h \
	src/async/loop_owner.c \
	src/async/loop_refs.c \
	src/async/loop_time.c \
	src/async/members.c \
	src/async/members.h \
	src/async/promise.c \
	src/async/runq.h \
	src/async/semaphore.c \
	src/async/thread.c \
	src/async/thread.h \
	src/async/tick.c \
	src/async/watch.c \
	src/base/ascii.h \
	src/base/backoff.h \
	src/base/big_endian.h \
	src/base/bytes.c \
	src/base/bytes.h \
	src/base/forked.c \
	src/base/forked.h \
	src/base/invariant.c \
	src/base/invariant.h \
	src/base/list.h \
	src/base/map.c \
	src/base/map.h \
	src/base/mem.c \
	src/base/mem.h \
	src/base/recycle.c \
	src/base/recycle.h \
	src/base/rng.c \
	src/base/rng.h \
	src/base/sha256.c \
	src/base/sha256.h \
	src/base/state.c \
	src/base/state.h \
	src/base/thread_mark.c \
	src/base/thread_mark.h \
	src/conn/conn.c \
	src/conn/conn.h \
	src/conn/conn_cancel.c \
	src/conn/conn_impl.h \
	src/conn/events.c \
	src/conn/limit.c \
	src/conn/reset.c \
	src/conn/why.c \
	src/flows/batch.c \
	src/flows/batch_pipeline.c \
	src/flows/batch_pipeline.h \
	src/flows/borrow.c \
	src/flows/borrow.h \
	src/flows/copy.c \
	src/flows/copy_impl.h \
	src/flows/copy_rows.c \
	src/flows/copy_rows.h \
	src/flows/copy_rows_in.c \
	src/flows/copy_rows_out.c \
	src/flows/copy_start.c \
	src/flows/executemany.c \
	src/flows/executemany_pipeline.c \
	src/flows/executemany_pipeline.h \
	src/flows/lease_wait.c \
	src/flows/lease_wait.h \
	src/flows/probe.c \
	src/flows/probe.h \
	src/flows/session.c \
	src/flows/session.h \
	src/flows/stream.c \
	src/flows/stream_impl.h \
	src/flows/stream_next.c \
	src/flows/transact.c \
	src/flows/txn.c \
	src/flows/txn.h \
	src/flows/txn_begin.c \
	src/flows/txn_end.c \
	src/flows/txn_end.h \
	src/flows/types.c \
	src/flows/work.h \
	src/libpq/cells.c \
	src/libpq/cells.h \
	src/libpq/conninfo.c \
	src/libpq/conninfo.h \
	src/libpq/conninfo_check.c \
	src/libpq/conninfo_check.h \
	src/libpq/decoded.c \
	src/libpq/nested.c \
	src/libpq/place.c \
	src/libpq/place.h \
	src/libpq/pq.c \
	src/libpq/pq.h \
	src/libpq/pq_cancel.c \
	src/libpq/pq_error.c \
	src/libpq/result.c \
	src/libpq/result.h \
	src/libpq/result_refs.c \
	src/libpq/result_text.c \
	src/libpq/result_types.c \
	src/libpq/row_buffer.c \
	src/libpq/row_buffer.h \
	src/libpq/rowset.c \
	src/libpq/rowset.h \
	src/libpq/scan.c \
	src/listen/event.c \
	src/listen/event.h \
	src/listen/link.c \
	src/listen/listen.c \
	src/listen/listen_channel.c \
	src/listen/listener.c \
	src/listen/listener.h \
	src/listen/notify.c \
	src/listen/queue.c \
	src/listen/queue.h \
	src/listen/subscribe.c \
	src/listen/subscription.c \
	src/ops/copy_op.c \
	src/ops/copy_op.h \
	src/ops/copy_op_impl.h \
	src/ops/copy_op_in.c \
	src/ops/copy_op_out.c \
	src/ops/offer.c \
	src/ops/offer.h \
	src/ops/query.c \
	src/ops/query.h \
	src/ops/rows.c \
	src/ops/rows.h \
	src/ops/stmt_run.c \
	src/ops/stmt_run.h \
	src/ops/verdict.c \
	src/ops/verdict.h \
	src/pipeline/command.c \
	src/pipeline/command.h \
	src/pipeline/on_wire.c \
	src/pipeline/op.h \
	src/pipeline/peer.c \
	src/pipeline/peer.h \
	src/pipeline/pipeline.c \
	src/pipeline/pipeline.h \
	src/pipeline/pipeline_impl.h \
	src/pipeline/receive.c \
	src/pipeline/send.c \
	src/pipeline/stmt.c \
	src/pipeline/stmt.h \
	src/pool/acquire.c \
	src/pool/acquire.h \
	src/pool/api.c \
	src/pool/close.c \
	src/pool/close.h \
	src/pool/dispatch.c \
	src/pool/dispatch.h \
	src/pool/events.c \
	src/pool/events.h \
	src/pool/hook.c \
	src/pool/hook.h \
	src/pool/lease.c \
	src/pool/lease.h \
	src/pool/lend.c \
	src/pool/lend.h \
	src/pool/notice.c \
	src/pool/notice.h \
	src/pool/opts.c \
	src/pool/opts.h \
	src/pool/pool.c \
	src/pool/pool.h \
	src/pool/pool_conn.c \
	src/pool/pool_conn.h \
	src/pool/pool_future.c \
	src/pool/pool_future.h \
	src/pool/reset.c \
	src/pool/reset.h \
	src/pool/sizing.c \
	src/pool/sizing.h \
	src/pool/step.c \
	src/pool/step.h \
	src/pool/wait_queue.c \
	src/pool/wait_queue.h \
	src/pool/why.c \
	src/pool/why.h \
	src/tasks/await.c \
	src/tasks/dump.c \
	src/tasks/group.c \
	src/tasks/overflow.c \
	src/tasks/overflow.h \
	src/tasks/run.c \
	src/tasks/spawn.c \
	src/tasks/stack.c \
	src/tasks/stack.h \
	src/tasks/switch.S \
	src/tasks/switch.h \
	src/tasks/switch_ucontext.c \
	src/tasks/task.c \
	src/tasks/task.h \
	src/values/arg_kind.h \
	src/values/args.c \
	src/values/args.h \
	src/values/codec.c \
	src/values/codec.h \
	src/values/cursor.h \
	src/values/encode.c \
	src/values/encode.h \
	src/values/encode_bytes.c \
	src/values/encode_error.c \
	src/values/encode_error.h \
	src/values/encode_impl.h \
	src/values/encode_nested.c \
	src/values/encode_nested_text.c \
	src/values/encode_nested_text.h \
	src/values/encode_net.c \
	src/values/encode_number.c \
	src/values/encode_time.c \
	src/values/oids.c \
	src/values/oids.h \
	src/values/request.c \
	src/values/request.h \
	src/values/span.h \
	src/values/value.c \
	src/values/value.h \
	src/values/value_array.c \
	src/values/value_array.h \
	src/values/value_bytes.c \
	src/values/value_bytes.h \
	src/values/value_decimal.c \
	src/values/value_decimal.h \
	src/values/value_interval.c \
	src/values/value_interval.h \
	src/values/value_nest.c \
	src/values/value_nest.h \
	src/values/value_net.c \
	src/values/value_net.h \
	src/values/value_number.c \
	src/values/value_number.h \
	src/values/value_numeric.c \
	src/values/value_numeric.h \
	src/values/value_part.c \
	src/values/value_part.h \
	src/values/value_range.c \
	src/values/value_range.h \
	src/values/value_record.c \
	src/values/value_record.h \
	src/values/value_text.c \
	src/values/value_time.c \
	src/values/value_time.h \
	src/values/value_type.c \
	src/values/value_type.h \
	src/values/write_word.h \
	src/wire/cancel.c \
	src/wire/cancel.h \
	src/wire/dial.c \
	src/wire/dial.h \
	src/wire/handshake.c \
	src/wire/handshake.h \
	src/wire/resolve.c \
	src/wire/resolve.h \
	src/wire/wire.c \
	src/wire/wire.h \
	src/words/error.c \
	src/words/error.h \
	src/words/opts_read.c \
	src/words/opts_read.h \
	src/words/quote.c \
	src/words/sql.c \
	src/words/sql.h \
	src/words/sql_into.c \
	src/words/sql_into.h \
	src/words/sql_token.c \
	src/words/sql_token.h \
	src/words/utf8.c \
	src/words/utf8.h \
	src/words/version.c \
	src/words/why.c \
	src/words/why.h
libcore_la_CFLAGS = $(AM_CFLAGS) $(LTO_CFLAGS)
libcore_la_LIBADD = $(LIBPQ_LIBS) $(LIBEV_LIBS)

lib_LTLIBRARIES = libevpq.la
libevpq_la_SOURCES =
libevpq_la_LIBADD = libcore.la
libevpq_la_CFLAGS = $(AM_CFLAGS) $(LTO_CFLAGS)
libevpq_la_LDFLAGS = $(PTHREAD_CFLAGS) $(INSTRUMENT_CFLAGS) $(LTO_CFLAGS) $(HARDEN_LDFLAGS) -version-info $(EVPQ_ABI) -no-undefined
if VERSION_SCRIPT
libevpq_la_LDFLAGS += -Wl,--version-script=$(srcdir)/src/evpq.map
endif
EXTRA_libevpq_la_DEPENDENCIES = src/evpq.map

# A static library has the public names alone, too.
if STATIC_NAMES
all-local: static-names.stamp
static-names.stamp: libevpq.la libevpq-test.la src/localize
	$(AM_V_GEN)for archive in .libs/libevpq.a .libs/libevpq-test.a; do \
	  AR='$(AR)' LD='$(LD)' OBJCOPY='$(OBJCOPY)' $(srcdir)/src/localize $$archive || exit; \
	done && touch $@
if STATIC_ONLY
# Before that a program's own opts_read is one too many.
$(PROGRAMS): static-names.stamp
endif
endif

EXTRA_DIST += \
	src/LAYERS \
	src/evpq.abi \
	src/evpq.map \
	src/localize
