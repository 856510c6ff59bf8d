// Package kudutest imitates the hooks API of Kudu, for tests of programs that
// subscribe themselves with [kudu.Client]. It does not import package testing,
// so that a program can use it for a demo too.
//
// A [Server] is an http.Handler. Serve it as the site, let the program
// subscribe, and send it deployments and runs of jobs:
//
//	var site kudutest.Server
//	server := httptest.NewServer(&site)
//	// ... the program calls server.URL/api/hooks ...
//	deliveries, err := site.Deploy(ctx, kudu.Deployment{ID: "9f2c", Status: kudu.StatusFailed, ...})
//
// A Server has Kudu's unusual behavior, which programs must handle (Kudu:
// WebHooksController.cs, WebHooksManager.cs):
//
//   - A URL can have a hook for one event only. A second request for the same
//     URL and event gets 201 and the existing hook, whatever its insecure_ssl
//     is. One for another event gets 409 and an empty body. Case is ignored.
//   - A request for a hook that does not exist gets 200 and null. Deleting one
//     gets 200.
//   - An invalid URL gets 500 and a stack trace that contains the URL.
//   - All hooks of an event are called concurrently and once, with 10 seconds
//     to answer. There is no second attempt, whatever the answer is. After 410
//     the hook is removed and added again, so that nothing changes.
//   - Credentials are sent only if the answer asks for them. The calls are made
//     by [webhooktest.Kudu].
//   - Calling hooks holds a lock. A request to the API waits for it for up to
//     30 seconds and then gets 500. The next event waits as long, and no hook is
//     called for it if the wait fails.
//
// All waiting uses package time. With [webhooktest.InMemory] in both
// directions, a Server runs in a bubble of testing/synctest.
package kudutest
