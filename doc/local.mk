# doc/local.mk - the manual pages, and the pages on design.

dist_man_MANS = \
	doc/evpq-migrate.7 \
	doc/evpq-run.1 \
	doc/evpq.7 \
	doc/evpq_adapters.3 \
	doc/evpq_args.3 \
	doc/evpq_codec.3 \
	doc/evpq_copy.3 \
	doc/evpq_cpp.7 \
	doc/evpq_error.3 \
	doc/evpq_future.3 \
	doc/evpq_listen.3 \
	doc/evpq_loop.3 \
	doc/evpq_nested.3 \
	doc/evpq_pool.3 \
	doc/evpq_quote.3 \
	doc/evpq_result.3 \
	doc/evpq_scan.3 \
	doc/evpq_stream.3 \
	doc/evpq_sync.3 \
	doc/evpq_task.3 \
	doc/evpq_testing.3 \
	doc/evpq_txn.3

EXTRA_DIST += \
	doc/design/cancel.md \
	doc/design/dispatch.md \
	doc/design/embed.md \
	doc/design/outcomes.md \
	doc/design/read-groups.md \
	doc/design/statements.md \
	doc/design/tasks.md \
	doc/design/tick.md \
	doc/design/where.md \
	doc/faults.md
