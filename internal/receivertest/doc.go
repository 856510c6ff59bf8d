// Package receivertest runs the code that webhook/publish/RECEIVERS.md shows to those who
// receive webhooks, against requests that a Publisher sends, and the code that
// webhook/DELIVERY.md shows to those who read deliveries. It is a module of its own, so
// that no other one requires the library of Standard Webhooks for it.
//
// The code in other languages needs openssl, Node with the library, Python and a JDK. The
// libraries for Python and Java are in the Go module of Standard Webhooks, as source. Without
// one of these the tests say what they leave out; with CI=true that is a failure, except for
// the JDK. To get the library for Node:
//
//	npm install --no-save --prefix internal/receivertest standardwebhooks@1.1.1
package receivertest
