module github.com/hookhouse/hookhouse/webhook/rabbitmq

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/hookhouse/hookhouse v0.0.0
	github.com/rabbitmq/amqp091-go v1.16.0
)

require golang.org/x/sync v0.24.0 // indirect

replace github.com/hookhouse/hookhouse => ../..
