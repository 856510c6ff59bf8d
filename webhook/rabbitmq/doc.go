// Package rabbitmq carries deliveries through quorum queues of RabbitMQ, from the receivers at
// the edge to the inbox in a database.
package rabbitmq
