// Package rabbitmq carries deliveries through quorum queues of RabbitMQ, from receivers at the
// edge to the inbox in a database. A [Publisher] is the [webhook.Handler] at the edge, a
// [Consumer] the [webhook.Queue] inside, and [Declare] makes the queues. The inbox behind the
// queue, on PostgreSQL, decides what is a duplicate, keeps dead deliveries for a replay, and shows
// everything. The queue is transport.
//
//	edge:    Receiver ─► Spool ─► Publisher ─► quorum queue     the Spool stores on the edge's own disk
//	                        └──► SQLite                         while the broker is away
//	inside:  quorum queue ─► Consumer ─► Relay ─► inbox in PostgreSQL ─► Workers
//
//	publisher := rabbitmq.NewPublisher(dial, "hooks")
//	http.Handle("/hooks/github", webhook.NewReceiver(source, spool.New(publisher, sqlite)))
//
//	consumer := rabbitmq.NewConsumer(dial, "hooks")
//	consumer.Immediate = true
//	go consumer.Run(ctx)
//	spool.NewRelay(consumer, webhook.Store(postgres)).Run(ctx)
//
// Without a database, a Worker can claim from a Consumer: each delivery runs at least once, retries
// and their number are lost with the process, and there is no replay.
//
// # What an acknowledgement means
//
//   - The sender's 202, which is nil from [Publisher.Handle]: a majority of the members of the
//     queue has the message and has flushed it. It survives the death of the others, and the loss
//     of power of all. Of a queue with one member it survives the loss of power of that machine, not
//     that of its disk. RabbitMQ describes this at https://www.rabbitmq.com/docs/quorum-queues
//     and https://www.rabbitmq.com/docs/confirms.
//   - The Consumer's acknowledgement to the server, in [Consumer.Settle]: the delivery has ended,
//     with a Relay after the inbox has committed it. The server does not answer. If it does not
//     get it, it gives the message out again, and the inbox refuses it by its UID.
//   - The end of a dead delivery: the dead queue has confirmed it with the reason, and then the
//     queue gets the acknowledgement. If the process ends between the two, the dead queue has it twice.
//
// # What is not promised
//
//   - Once only. If an answer of the server is lost, the publisher sends the message again. If a
//     process or a connection ends, what it held comes again. Both have the same UID.
//   - A duplicate as an answer. Dedup keys are known to the inbox alone, so a redelivery of
//     the sender gets a plain 202 at the edge.
//   - Order between deliveries that are acknowledged at the same time, or by edges whose clocks
//     differ by more than the time between them, or are set back, after a connection was lost. Of
//     one ordering key, deliveries acknowledged one after the other are claimed in that order, also
//     after the active Consumer was killed: what comes again is sorted by the time at which it was
//     published. A Worker that has lost its Consumer's connection may still run a callback while
//     the next Consumer gives out the same delivery.
//   - Attempts and delays beyond the connection. A NotBefore, a retry or a burst holds a message in
//     the process, and one of its Prefetch. The server closes the channel of a message that is
//     held longer than consumer_timeout, 30 minutes by default: then all messages come again. So
//     use a Relay, with [Consumer.Immediate].
//   - Room. A queue without a maximum length grows until the server lacks disk; then it
//     takes no messages, and Handle fails at once.
//   - Anything against policies: see [Check]. With a delivery limit of a policy the server moves
//     what was given out too often to the dead queue. No consumer sees it, and no inbox has it.
//
// # Servers
//
// Declare the queues before the first delivery comes. A RabbitMQ without
// https://github.com/rabbitmq/ra/pull/443 of May 2024, such as 3.10, writes down half a second after
// a queue was declared that it has it: if a node is killed before, its member of the queue is
// empty when it starts again, and what a queue with one member had acknowledged is lost.
//
// RabbitMQ 3.10 and later. The tests run on 3.10.8, one node and three, with nodes killed,
// frozen and restarted. For RabbitMQ 4 the arguments differ as [Declare] says; the tests have not
// run on it. A queue that 3.x has declared has a delivery limit of 20 from 4.0 on, and arguments
// cannot be changed: let the consumers empty it before the upgrade, delete it, and call Declare
// after it.
package rabbitmq
