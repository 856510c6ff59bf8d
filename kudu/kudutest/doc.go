// Package kudutest imitates the API of Kudu for hooks, deployments and the
// history of triggered WebJobs, for tests of programs that subscribe themselves
// with [kudu.Client] or that have a [kudu.CatchUp]. It does not import package
// testing, so that a program can use it for a demo too.
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
// It lists deployments and runs as Kudu does (Kudu: DeploymentController.cs,
// DeploymentManager.cs, JobsController.cs, TriggeredJobsManager.cs):
//
//   - GET /api/deployments answers all in one list, received last first, in
//     snake_case and with the number of the status. A redeployment replaces the
//     deployment with its ID. Of those that have ever succeeded Kudu keeps 10 and
//     the active one; one that never succeeded is kept until the next one.
//   - GET /api/triggeredwebjobs/{name}/history answers all runs in one list,
//     newest first, of which Kudu keeps 50, and 404 without a body if there is
//     none.
//   - Both have an ETag: that of deployments is made of the time of the last
//     change, and that of runs of the ID, status and end of the last one. A
//     request with it gets 304.
//   - [Server.Fail] makes it answer as a site that is stopped, restarts, or is
//     behind a broken proxy.
//
// All waiting uses package time. With [webhooktest.InMemory] in both
// directions, a Server runs in a bubble of testing/synctest.
package kudutest
