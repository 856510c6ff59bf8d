// Package kudu receives the webhooks of Kudu, the deployment engine of Azure
// App Service. Kudu sends PostDeployment when a deployment ends, successful or
// not, and TriggeredJobFinished when a run of a triggered WebJob ends.
//
// Pass a [Source] to [webhook.NewReceiver] and register callbacks that take a
// [Deployment] or a [TriggeredJobRun]:
//
//	http.Handle("/hooks/kudu/{token}", webhook.NewReceiver(kudu.Source(token), webhook.Store(inbox)))
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[kudu.Deployment]) error {
//		if !e.Payload.Status.Succeeded() {
//			return alert(ctx, e.Payload.Site(), e.Payload.StatusText)
//		}
//		return smokeTest(ctx, e.Payload.Site())
//	})
//
// Kudu allows only one event per hook URL, so hooks for both events need two
// URLs. Two tokens on one route are two URLs. A body does not name its event:
// Source determines the type from the fields, see "Types".
//
// # What a token proves
//
// Kudu signs nothing. It can only send what the hook's URL contains: a token in
// the path or query, see [Source], or credentials, see [BasicSource]. Both
// prove that the caller knows the URL. Neither proves that the body is genuine
// or new. Serve the URL over TLS only, keep paths and queries out of access
// logs, and treat the body as a hint to look at the site.
//
// # Basic credentials
//
// Kudu takes user and password from a hook URL such as
// https://user:password@ci.example.com/hooks/kudu literally: it does not
// percent-decode them. If the password contains a colon, or if there is only a
// user name, Kudu sends no credentials (Kudu: WebHooksManager.cs).
//
// Kudu sends the credentials only after an answer 401 that asks for them, which
// BasicSource gives. So each delivery is two calls, and its body is sent twice.
// The first call of each delivery is refused and logged at level Info; this is
// expected. If the second call does not follow, for example because the URL has
// no password, the third such call and later ones are logged at level Warn.
//
// # Delivery
//
// Kudu calls each hook once and waits up to 10 seconds for the answer, during
// which the deployment is blocked. There is no second attempt, any answer
// counts as delivered, and 410 does not remove the hook. So store the delivery
// and answer at once. Kudu does not report a deployment that fails before it
// starts, while its sources are fetched.
//
// # Types
//
// The type of a delivery is the first that fits:
//
//   - "kudu.TriggeredJobFinished" if the body has a job_name.
//   - "kudu.TriggeredJobFinished" if the body is an answer of the WebJobs API,
//     which has no job_name: it has an id, and a duration, a trigger, a log URL
//     or a name that equals the id, but neither siteName nor receivedTime. Such
//     a delivery has neither an ordering key nor a dedup key.
//   - "kudu.PostDeployment" if the body has a string id and a status, or one
//     field that only a deployment has, such as siteName, receivedTime or
//     authorEmail.
//   - "kudu.unknown", for example for a body that somebody publishes under
//     another event.
//
// No optional field is required, because Kudu omits empty fields, and its wiki
// has shown bodies with fewer fields than its code sends.
//
// # Ordering key
//
// The ordering key of a deployment is the first of these that there is:
//
//   - the SCM host, such as app.scm.azurewebsites.net or
//     app-slot.scm.azurewebsites.net, which identifies the slot;
//   - the site that the hook's URL names, see "Several sites";
//   - the siteName, which all slots share.
//
// Without any of the three there is no ordering key: deployments are unordered,
// and those of two sites cannot be distinguished.
//
// The ordering key of a job is its name, preceded by the site that the hook's
// URL names, if any. The host in the URL of a run is not part of it. After Kudu
// has started, it omits that URL until it is called itself, and then uses the
// host by which it was last called (Kudu: JobsManagerBase.cs). With the host,
// the ordering key would change from run to run, order would be lost, and a
// failure would not be matched with the success that follows.
//
// Hosts and names of jobs are in lower case in ordering keys: Azure ignores
// their case, and reports a job that is triggered by hand in the caller's
// spelling.
//
// # Dedup key
//
// Kudu sends no delivery id, and a redeployment has the same id with another
// end time, exact to 100 ns. The dedup key therefore consists of ordering key,
// id, status and end time, and for a job also of the host of its URL, if any.
// A deployment has a second one, without the host: site name, id, status and the
// times of receipt, start and end. A delivery is a duplicate if it has either.
// Without an id or an end time there is no dedup key: a pending deployment may
// be delivered twice, and neither delivery is dropped.
//
// # Several sites
//
// Several sites may have jobs of the same name, and only the hook's URL
// reliably identifies the calling site. If one Source serves several sites,
// name the site in each hook's URL, as the wildcard {site} of a ServeMux
// pattern or as the query parameter site. Use the SCM host as the name, because
// it is the ordering key of deployments:
//
//	/hooks/kudu/{site}/{token}
//	https://ci.example.com/hooks/kudu/app.scm.azurewebsites.net/<token>
//	https://ci.example.com/hooks/kudu/<token>?site=app.scm.azurewebsites.net
//
// If the URLs name no site, jobs of the same name share an ordering key: they
// wait for each other, and with Coalesce one supersedes the other. The name in
// the URL proves no more than the token beside it. When slots are swapped,
// their hooks move too, because hooks are files of the site.
//
// # Hooks
//
// A [Client] manages the hooks of a site, so that a program can subscribe
// itself when it starts:
//
//	client, err := kudu.NewClient("https://app.scm.azurewebsites.net", kudu.Basic("$app", password))
//	_, err = client.Ensure(ctx, kudu.Hook{URL: url, Event: kudu.EventPostDeployment})
//
// A Client handles the unusual answers of Kudu's API: 200 and null for a hook that
// does not exist, 201 for one that exists already, and 500 for an invalid URL.
// Package kudutest imitates the API with these answers, for tests.
//
// # What was missed
//
// Kudu does not call again, so a call is lost while the receiver, its host or
// its network is down. A [CatchUp] asks the site's API what has ended since, and
// puts what the inbox does not have into it:
//
//	catchUp := kudu.NewCatchUp(client, kudu.Deployments(), source, inbox)
//	catchUp.Every = 10 * time.Minute // besides the looks at the start and after an outage
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// Its limit is what Kudu has kept: 10 deployments that have ever succeeded, one
// that never has, and 50 runs of each WebJob. The next deployment removes one
// that never succeeded. Where failed deployments matter, let Every be shorter
// than the time between two deployments. A CatchUp looks at what ended in the
// last 14 days, see [CatchUp.MaxAge].
//
// The credentials of [Basic] allow all that a CatchUp does: it reads the lists,
// and with [CatchUp.Hook] it reads and writes hooks. Package kudutest imitates the
// lists, with the answers of a site that is stopped or restarts.
//
// # Cost of a catch-up
//
// As go test -v -run TestTheCost ./kudu measures, against package kudutest:
//
//   - A backlog of 10 000 runs is in the inbox after one request: the list is one answer. It
//     takes 21 MiB, with the list itself and the inbox in memory. A list of more than
//     [Client.MaxAnswer] bytes is refused.
//   - A quiet target costs one conditional request per look, and 5 KiB. With Every of 10
//     minutes, 1 000 targets make 3 000 requests in 30 minutes, at most 108 in one.
//
// # Two spellings
//
// Kudu's code sends PostDeployment with camelCase names, its wiki of 2015 shows
// snake_case, and /api/deployments answers in snake_case with a numeric status.
// [Deployment] reads all of them and encodes a decoded document under the same
// names. Kudu omits fields that have their default, so absent fields have it:
// false for flags, and pending for the status.
//
// A body in which a field appears twice, in two spellings, or in a different
// case is malformed. So is a body that is not JSON. A malformed body is a
// "kudu.PostDeployment", or a "kudu.TriggeredJobFinished" if it contains
// job_name. Decoding it returns [webhook.ErrMalformed].
package kudu
