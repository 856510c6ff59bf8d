// Package jobserv receives the build notifications of JobServ, the continuous
// integration server of Foundries.io, and reads what they point at.
//
// A notification is sent when the last run of a build completes, so that its
// status is PASSED or FAILED. It is signed: X-JobServ-Sig is "sha256:" and the
// HMAC of the body in hexadecimal, with a colon where other senders have an
// equals sign. [Source] verifies it; [Build] is the payload, in all three shapes
// that servers have sent over the years.
//
//	var mux webhook.Mux
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
//		if b := e.Payload; !b.Passed() {
//			return alert(ctx, b.Project(), b.BuildID, b.Failed())
//		}
//		return nil
//	})
//	http.Handle("/hooks/jobserv", webhook.NewReceiver(jobserv.Source(secret), webhook.Store(inbox)))
//	err := webhook.NewWorker(inbox, &mux).Run(ctx)
//
// # The sender
//
// JobServ makes four attempts within seven seconds and then forgets the build:
// there is no way to have a notification sent again. Hence the inbox behind the
// receiver. The sender sets no time-out, and it follows redirects and takes any final
// status below 400 for success: a redirect to a login page loses builds without
// a trace. A Receiver never redirects; keep it off paths on which a proxy does.
//
// There is no delivery id. The dedup key by which a repeated attempt is known
// is the signature: the four attempts are the same bytes, while a rerun
// notifies again for the same build with another body (see [Build.Rerun]),
// since it is completed at another time. A body without completed, which is the
// first shape, has no dedup key: a rerun that ends as the run before makes the
// same bytes. There an attempt that is repeated runs twice.
//
// The key, by which deliveries are kept in order, is the project, as it is spelt
// in the path of url, whatever its host. A body with neither url nor, in the
// first shape, project_name and build_url has no key. No other member is needed
// to route a body.
//
// JobServ's servers sign calls among themselves in a header of the same name
// with another scheme, a bare SHA-1. It is refused here.
//
// # The client
//
// The body holds URLs, of the runs, their tests and console logs. [Client] reads
// them, from hosts that the program names and no other.
package jobserv
