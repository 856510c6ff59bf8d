// Package kudu receives the webhooks of Kudu, the deployment engine behind
// Azure App Service: PostDeployment, when a deployment has ended, well or
// badly, and TriggeredJobFinished, when a triggered WebJob has run.
//
// A [Source] is what [webhook.NewReceiver] takes; [Deployment] and
// [TriggeredJobRun] are what callbacks get:
//
//	http.Handle("/hooks/kudu/{token}", webhook.NewReceiver(kudu.Source(token), webhook.Store(inbox)))
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[kudu.Deployment]) error {
//		if !e.Payload.Status.Succeeded() {
//			return alert(ctx, e.Payload.Site(), e.Payload.StatusText)
//		}
//		return smokeTest(ctx, e.Payload.Site())
//	})
//
// Kudu allows a URL for one event only, so hooks for both need two URLs. Two
// tokens on one route make two URLs: a body does not name its event, and Source
// tells them apart by their fields, job_name on one hand, siteName and
// receivedTime on the other.
//
// # What a token proves
//
// Kudu signs nothing. What it can carry is what is in the hook's URL: a token in
// its path or query, see [Source], or credentials, see [BasicSource]. Either
// proves that the caller knows the URL; neither proves that the body is
// genuine or new. Serve it over TLS only, keep paths and queries out of access
// logs, and take the body for a hint to look at the site.
//
// # Basic credentials
//
// In a hook URL https://user:password@ci.example.com/hooks/kudu Kudu takes both
// as they are written: nothing is percent-decoded, a password with a colon
// switches credentials off, and so does a user name alone. It sends them only
// after an answer 401 that asks for them, which BasicSource gives, so each
// delivery is two calls and its body is sent twice (Kudu: WebHooksManager.cs).
// The first one of each is refused and logged at level Info; that is how it
// works. When the second one does not come, which is what a URL without a
// password does, the third such call and those after it are logged at Warn.
//
// # Delivery
//
// Each hook is called once, with 10 seconds to answer, while the deployment
// waits. There is no second attempt, any answer counts as delivered, and 410
// does not remove the hook. So store first and answer at once. A deployment
// that fails before it starts, while its sources are fetched, is not told.
//
// The Key is the SCM host, app.scm.azurewebsites.net or
// app-slot.scm.azurewebsites.net, since all slots share one siteName; where no
// host is told it is the siteName. For a job it is the host of its URL and the
// job's name. Kudu has no delivery id. A redeployment sends the same id with
// another end time, so Key, id and end time together are the mark by which a
// second call for the same end is a duplicate; where one is missing there is no
// mark.
//
// # Hooks
//
// A [Client] manages a site's hooks, so that a program can subscribe itself when
// it starts:
//
//	client, err := kudu.NewClient("https://app.scm.azurewebsites.net", kudu.Basic("$app", password))
//	_, err = client.Ensure(ctx, kudu.Hook{URL: url, Event: kudu.EventPostDeployment})
//
// It knows the answers that Kudu's API gives where others were to be expected:
// 200 and null for a hook that is not there, 201 for one that is there already,
// 500 for a URL that is none. Package kudutest is a stand-in with the same
// habits, for tests.
//
// # Two spellings
//
// Kudu's code sends PostDeployment with camelCase names, its wiki of 2015 shows
// snake_case, and /api/deployments answers in the latter with a numeric status.
// [Deployment] reads all of them and encodes again what it read. Names that
// are absent have their defaults, because Kudu leaves those out: false, and
// pending for the status. A body in which a name of a field stands twice, in two
// spellings, or in another case is malformed, wherever it comes from.
//
// What is malformed is a "kudu.PostDeployment", unless it mentions job_name,
// and ends in [webhook.ErrMalformed]. Well-formed bodies of other kinds are of
// type "kudu.unknown".
package kudu
