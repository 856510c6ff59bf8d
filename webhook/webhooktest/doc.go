// Package webhooktest is for the tests of services that receive webhooks. It
// has no test framework in it: programs may link it, for a demo or a load run.
//
// [NewRequest] builds a request that a given [webhook.Source] accepts, signed
// in whatever way its verifier wants, for a handler under test:
//
//	r := webhooktest.NewRequest(github.Source(secret), "/hooks/github", body, "X-GitHub-Event", "push")
//	receiver.ServeHTTP(recorder, r)
//
// [Recorder] is a [webhook.Handler] that keeps the deliveries it is given. Put
// it where a callback or a store would stand, and Wait for what is to come.
//
// Then there are the senders themselves: [GitHub], [JobServ], [Kudu] and
// [DockerHub] call a URL as the real ones do, with their headers, time-outs,
// retries and redirects, because that is where receivers go wrong: JobServ takes
// a redirect to a login page for success, Kudu sends credentials only when it
// is challenged, GitHub hangs up after 10 seconds and never tries again, Docker
// Hub calls six times for one push. Each returns a [Result] that tells what the
// sender saw, and whether it counts the event as delivered. What a sender's
// documents and source code leave open, its comment says. User information in a
// URL is sent by Kudu alone.
//
// All of them measure time with package time alone and take any
// [http.RoundTripper]. With [InMemory] as the transport they run inside a bubble
// of testing/synctest, where the seven seconds of JobServ's retries take none:
//
//	synctest.Test(t, func(t *testing.T) {
//		sender := webhooktest.JobServ{Secret: secret, Transport: webhooktest.InMemory(receiver)}
//		result := sender.Deliver(t.Context(), "http://ci.test/hooks/jobserv", body)
//		...
//	})
package webhooktest
