// Package hookhouse is the root of a library that receives webhooks without
// losing one, and sends them. It holds no code. These are the packages:
//
//	webhook              deliveries, verifiers, receivers, inboxes, workers: start here
//	webhook/sqlinbox     an inbox on SQLite or PostgreSQL, where accepted is never lost
//	webhook/publish      the other side: events to endpoints, signed, with retries over days
//	webhook/addrguard    judges addresses before they are called
//	webhook/spool        a local inbox for while the database is away; moving inboxes
//	webhook/handshake    answers to senders that test an address before they use it
//	webhook/inspect      a handler that shows deliveries, and replays them: to be mounted
//	webhook/prom         metrics for Prometheus, with a dashboard; a module of its own
//	webhook/otel         spans for OpenTelemetry; a module of its own
//	webhook/wire         leaf types for JSON that senders write in more than one way
//	webhook/webhooktest  signed requests and simulated senders, for your tests
//	webhook/inboxtest    the laws of an Inbox, for those who write one
//	webhook/publish/sqlstore   endpoints and attempts, in the database of an inbox
//	webhook/publish/storetest  the laws of a publish.Store, for those who write one
//	github               push, ping and the events that CI users need; what was missed
//	github/githubtest    GitHub's list of a hook's deliveries, for your tests
//	dockerhub            image pushes, which come unsigned and in bursts
//	dockerhub/dockerhubtest  Docker Hub's registry and its API of tags, for your tests
//	jobserv              CI builds of Foundries.io
//	kudu                 deployments and WebJobs of Azure App Service, and its hooks API
//	kudu/kudutest        a Kudu site, for your tests
//	kudu/kuduhooks       Kudu's hooks API over a Publisher
//	examples             programs to copy, a module of their own
//
// A delivery takes this route. A [webhook.Source] describes one sender and proves
// its calls. A [webhook.Receiver] verifies a call and makes it a
// [webhook.Delivery]. [webhook.Store] commits the Delivery to an [webhook.Inbox]
// before the sender is answered. A [webhook.Worker] claims it, and a
// [webhook.Mux] passes it to a typed callback. Whatever takes a Delivery is a
// [webhook.Handler], so a callback runs inside the request or behind an inbox
// without a changed line.
//
// [webhook.Source]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Source
// [webhook.Receiver]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Receiver
// [webhook.Delivery]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Delivery
// [webhook.Store]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Store
// [webhook.Inbox]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Inbox
// [webhook.Worker]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Worker
// [webhook.Mux]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Mux
// [webhook.Handler]: https://pkg.go.dev/github.com/hookhouse/hookhouse/webhook#Handler
package hookhouse
