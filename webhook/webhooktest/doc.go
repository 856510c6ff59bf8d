// Package webhooktest provides requests, a recorder and senders for tests of
// services that receive webhooks. It does not import package testing, so a program
// can use it for a demo or a load test too.
//
// [NewRequest] returns a request that a given [webhook.Source] accepts, signed as
// its verifier requires:
//
//	r := webhooktest.NewRequest(github.Source(secret), "/hooks/github", webhooktest.GitHubPush(), "X-GitHub-Event", "push")
//	receiver.ServeHTTP(recorder, r)
//
// It signs for every verifier of package webhook and for each [webhook.Signer] of your
// own. [GitHubPush], [DockerHubPush], [JobServBuild], [KuduDeployment] and the funcs
// beside them return bodies as these senders write them.
//
// A [Recorder] is a [webhook.Handler] that keeps the deliveries that it gets. Use it
// in place of a callback or a store, and call Wait for the deliveries.
//
// [GitHub], [JobServ], [Kudu] and [DockerHub] call a URL as these senders do, with
// the same headers, timeouts, retries and redirects. Receivers must handle their
// habits:
//
//   - JobServ treats a redirect to a login page as success.
//   - Kudu sends credentials only if the answer asks for them.
//   - GitHub gives up after 10 seconds and does not try again.
//   - Docker Hub can call six times for one push.
//
// Their Deliver returns a [Result]: the answers that the sender got, and whether it counts
// the event as delivered. Their Request returns the signed request alone, for a program that
// sends it itself, as package inspect does. The comment of each type says what is not known
// about its sender. Only Kudu sends the user information of a URL.
//
// The senders use package time only, and any [http.RoundTripper]. With [InMemory]
// as the transport they run in a bubble of testing/synctest, in which the seven
// seconds of JobServ's retries take no real time:
//
//	synctest.Test(t, func(t *testing.T) {
//		sender := webhooktest.JobServ{Secret: secret, Transport: webhooktest.InMemory(receiver)}
//		result := sender.Deliver(t.Context(), "http://ci.test/hooks/jobserv", body)
//		...
//	})
package webhooktest
