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
// tokens on one route make two URLs. A body does not name its event, so Source
// tells them apart by their fields; see "What a body is".
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
// # What a body is
//
// A body with a job_name is a TriggeredJobFinished. Any other with a string id
// and a status, or with a field that only a deployment has (such as siteName,
// receivedTime or authorEmail), is a PostDeployment: Kudu leaves out what is
// empty, and its wiki has shown bodies with fewer fields than its code sends.
// So no optional field decides the type. Answers of the WebJobs API are runs of
// jobs too, by their duration, trigger or the URLs of their logs; they have no
// job_name and so no ordering key and no dedup key. A body with neither is of
// type "kudu.unknown", such as one that somebody publishes under another event.
//
// # Ordering key and dedup key
//
// The ordering key of a deployment is the SCM host, app.scm.azurewebsites.net
// or app-slot.scm.azurewebsites.net, since all slots share one siteName. Where
// no host is told it is the site that the call names, see below, and else the
// siteName. Where there is none of these there is no ordering key and no order,
// and deployments of two sites cannot be told apart.
//
// The ordering key of a job is its name, behind the site that the call names if
// it names one. The host in the URL of a run is no part of it: Kudu leaves the
// URL out until it has been called itself after a start, and then tells the
// host that it was last called by (Kudu: JobsManagerBase.cs). An ordering key
// with the host would be another one from run to run, so that order would be
// lost and a failure would have no recovery.
//
// Ordering keys are in lower case, hosts and names of jobs alike: Azure
// compares neither by case, and a job that is triggered by hand is called as
// the caller spells it.
//
// Kudu has no delivery id. A redeployment sends the same id with another end
// time, exact to 100 ns. So the dedup key by which a second call is a duplicate
// is ordering key, id, status and end time together, and for a job also the
// host of its URL where there is one. Without id or end time there is no dedup
// key: a deployment that is pending may be told twice, and none is dropped.
//
// # Several sites
//
// Sites have jobs of the same name, and only the hook's URL surely tells which
// site calls. Where one Source is for several sites, have each of them call a URL
// that names it: by the wildcard {site} of a ServeMux pattern, or by the query
// parameter site. The SCM host is the name to take, since that is the ordering
// key of deployments:
//
//	/hooks/kudu/{site}/{token}
//	https://ci.example.com/hooks/kudu/app.scm.azurewebsites.net/<token>
//	https://ci.example.com/hooks/kudu/<token>?site=app.scm.azurewebsites.net
//
// Where the URLs name none, jobs of the same name share an ordering key: they
// wait for each other, and a Source with Coalesce lets the one supersede the
// other. The name is what the hook's URL says, and proves no more than the
// token beside it. When slots are swapped their hooks go along, as they are
// files of the site.
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
// and ends in [webhook.ErrMalformed].
package kudu
