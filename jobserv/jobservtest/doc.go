// Package jobservtest is the part of JobServ that lists builds and calls webhooks, for tests
// of programs with a jobserv.CatchUp or a script of their own:
//
//	ci := &jobservtest.Server{Token: token, Transport: webhooktest.InMemory(receiver)}
//	ci.AddProject("acme/lmp", jobservtest.Hook{URL: "http://receiver/hooks/jobserv", Secret: secret})
//	id := ci.Start("acme/lmp")
//	result := ci.Finish(ctx, "acme/lmp", id, jobserv.Passed)
//
// [Server.Finish] calls the hook as webhooktest.JobServ does, with up to four attempts.
// Without sockets, in a bubble of testing/synctest, the whole is in fake time:
//
//	client, err := jobserv.NewClient(token, "https://api.example.com")
//	client.Transport = webhooktest.InMemory(ci)
//
// What it does, and where that comes from; the files are of
// https://github.com/foundriesio/jobserv:
//
//   - /projects/P/builds/ lists builds, newest first, with limit and page, of which the
//     defaults are 25 and 0, and total, pages and next: api/build.py, jsend.py. Pages are
//     counted in builds, so they shift while builds are added.
//   - /projects/P/builds/N/ is a build with status_events, runs_url, reason and annotation,
//     and /projects/P/builds/N/runs/ its runs: api/build.py, api/run.py.
//   - The members of a build and a run, and their order in a call: models.py, as_json. Answers
//     have them sorted by name, as Flask writes them.
//   - Times are in UTC with microseconds, or in whole seconds if the database is MySQL:
//     flask.py, models.py.
//   - created is the time of the first event, and completed that of the last one if the build
//     is complete. A promotion is no event, and a build that failed may be promoted too. A run
//     has events of its own, an external one has none: models.py, api/build.py.
//   - The number of a build is the highest of the project and one: models.py, _try_build_ids.
//   - A call when the last run of a build is complete, and again after a rerun. None for a
//     build that fails when it is created, for an external one, for one that is promoted, and
//     for one whose last run is canceled in the queue: api/run.py, trigger.py, api/build.py.
//     With OnlyFailures none for one that passed: api/run.py.
//   - Errors are {"status": "error", "message": TEXT}, 404 "Object does not exist: PATH" also
//     for what the token cannot see, and 400 for a limit or a page that is no number: jsend.py,
//     flask.py.
//   - The token is in Authorization, or in OSF-TOKEN at Foundries.io:
//     https://docs.foundries.io/latest/reference-manual/factory/api-access.html.
//
// JobServ limits no requests and has no ETags: its code has neither. What a proxy before it
// answers, such as 401, 403 or 429, is up to [Server.Fail] and [Server.SetToken]. JobServ
// starts the call before it commits, so that its API may still say that the build runs; here
// the API knows it first.
package jobservtest
