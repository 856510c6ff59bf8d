// Package kudutest is a stand-in for the hooks API of Kudu, for the tests of
// programs that subscribe themselves with [kudu.Client]. It has no test
// framework in it: programs may link it, for a demo.
//
// A [Server] is an http.Handler. Serve it as the site, let the program subscribe,
// and have it told of deployments and jobs:
//
//	var site kudutest.Server
//	server := httptest.NewServer(&site)
//	// ... the program calls server.URL/api/hooks ...
//	deliveries := site.Deploy(ctx, kudu.Deployment{ID: "9f2c", Status: kudu.StatusFailed, ...})
//
// It has Kudu's quirks, because that is where programs go wrong (Kudu:
// WebHooksController.cs, WebHooksManager.cs):
//
//   - A URL is good for one event. The same URL and event once more is 201 with
//     the hook that is there, whatever insecure_ssl says; another event is 409
//     with nothing in it. Case does not matter.
//   - A hook that is not there is 200 and null. Deleting it is 200.
//   - A URL that is none is 500, with a stack trace that quotes it.
//   - All hooks of an event are called at once, each one time, with 10 seconds to
//     answer; whatever the answer, that was it. Upon 410 the hook is removed and
//     put back, so that nothing is changed.
//   - Credentials are sent only when asked for. See [webhooktest.Kudu], which
//     makes the calls.
//   - While hooks are called nothing else gets at them: a call of the API waits
//     for up to 30 seconds, then it is 500. So does the next event, which is then
//     told to nobody.
//
// Time is measured with package time alone. With [webhooktest.InMemory] in both
// directions all of it runs inside a bubble of testing/synctest.
package kudutest
