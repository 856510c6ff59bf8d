// Package kuduhooks serves the hooks API of Kudu, the deployment engine of Azure App
// Service, over a [publish.Publisher]. A program that has events of its own can offer
// them to those who know Kudu's API: they subscribe with a [kudu.Client], or with the
// requests that Kudu's wiki documents (https://github.com/projectkudu/kudu/wiki/Web-hooks),
// and get deliveries with retries in place of Kudu's single attempt.
//
//	hooks := kuduhooks.New(publisher, protect)
//	mux.Handle("/api/hooks", hooks)
//	mux.Handle("/api/hooks/", hooks)
//	...
//	_, err := publisher.PublishTx(ctx, tx, hooks.Event(kudu.EventPostDeployment, deployment))
//
// # Requests
//
// Each route exists below /api/hooks and below the deprecated /hooks.
//
//	POST   /api/hooks                        subscribe {"url", "event", "insecure_ssl"}
//	GET    /api/hooks                        all hooks, oldest first
//	GET    /api/hooks/{id}                   one
//	DELETE /api/hooks/{id}                   unsubscribe
//	POST   /api/hooks/publish/{event}        publish the JSON of the body
//	POST   /api/hooks/hooks/publish/{event}  the same, on the route in Kudu's wiki
//
// The answers are those of Kudu's wiki:
//
//   - A new hook gets 201. A URL that has a hook for the same event gets 201 and that hook,
//     whose insecure_ssl stays, and one for another event gets 409. Case is ignored in both.
//   - A hook has last_status, last_reason, last_datetime and last_context as Kudu shows them:
//     null, and a time in the year 1, before the first attempt. A last_context is null if the
//     body is not stored any more, and in a list from 4 MiB on.
//   - Publish answers 200.
//
// These are safer than in Kudu (Kudu: WebHooksController.cs, WebHooksManager.cs), whose own
// behavior is in package kudutest:
//
//   - A hook that does not exist gets 404, where Kudu answers 200 and null.
//   - A URL that the Publisher refuses gets 400 with the reason, where Kudu answers 500 with
//     a stack trace, or 201. So does an event without a name. See publish.Publisher.Guard.
//   - Requests need the credentials that the program asks for; see [New]. Those of a browser
//     from another site are refused, and bodies must be JSON.
//   - IDs are unique.
//   - Publish answers when the event is stored, and does not wait for the hooks.
//
// # Deliveries
//
// The request to a hook is the one of Kudu: a POST with Content-Type application/json;
// charset=utf-8 and the body as it was published, without a signature. User and password in
// the URL of a hook are sent, as Kudu does, not percent-decoded and after an answer 401 that
// asks for them. They are stored as a secret of the endpoint. User information of another
// form, with which Kudu would send no credentials, gets 400.
//
// Beside that the rules of the Publisher apply: attempts are repeated by its schedule, the
// Webhook-Id is the same for all attempts, redirects are not followed, and a hook that
// answers 410, or fails for days, gets no more events. A new POST for it makes it active
// again.
package kuduhooks
