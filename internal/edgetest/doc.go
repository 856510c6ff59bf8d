// Package edgetest proves what the whole chain promises, while its parts fail:
//
//	Receiver ─ Spool ─► RabbitMQ ─► Relay ─► PostgreSQL ─► Worker
//
// Its tests run the edges, relays and workers as processes of their own, against three
// RabbitMQ nodes with quorum queues and a PostgreSQL server that they start for themselves.
package edgetest
