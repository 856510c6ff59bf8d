// Package jobserv receives the build notifications of JobServ, the continuous
// integration server of Foundries.io, and reads the runs, tests and logs that a
// notification links to.
//
// JobServ sends a notification when the last run of a build completes, so the
// status is PASSED or FAILED. The header X-JobServ-Sig is "sha256:" and the
// HMAC of the body in hexadecimal, with a colon where other senders have an
// equals sign. [Source] verifies it. The payload is a [Build], which reads the
// three shapes that servers have sent over the years.
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
// JobServ makes four attempts within seven seconds and then forgets the build.
// A notification cannot be requested again, so put an inbox behind the
// receiver, and a [CatchUp] beside it.
//
// JobServ sets no timeout. It follows redirects and counts any final status
// below 400 as success, so a redirect to a login page loses builds silently. A
// Receiver never redirects; do not serve it on a path on which a proxy does.
//
// JobServ's servers sign calls to each other in a header of the same name with
// another scheme, a bare SHA-1. Source refuses those.
//
// # Ordering key and dedup key
//
// The ordering key is the project as it is spelt in the path of url, whatever
// the host is. In a body of the first shape (see [Build]) it is project_name,
// or the project in the path of build_url. No other member affects it. A body
// from which no project can be read has no ordering key.
//
// JobServ sends no delivery id. There are two dedup keys:
//
//   - The signature: the four attempts have the same bytes.
//   - The project and the number in the path of url, and completed. The call of a
//     build, what the API says of it, and a second webhook of the project that
//     calls the same receiver have the same one. A rerun sends another
//     notification for the same build, which has other bytes and another time of
//     completion (see [Build.Rerun]).
//
// Two servers that have a project of the same name need two Sources with
// different names.
//
// A body without completed, which is one of the first shape, has no dedup key:
// a rerun with the same result as the run before sends the same bytes. If
// JobServ repeats an attempt for such a body, the callback runs again.
//
// A body that is not a JSON object is malformed, and so is one in which url,
// project_name, build_url or completed appears twice or in a different case.
// Decoding it returns [webhook.ErrMalformed].
//
// # Missed builds
//
// A build of which nobody received the call is lost unless somebody asks for
// it. A [CatchUp] reads it from JobServ's API and puts it into the inbox:
//
//	client, err := jobserv.NewClient(token, "https://api.foundries.io")
//	client.TokenHeader = "OSF-TOKEN"
//	catchUp := jobserv.NewCatchUp(client, "acme/lmp", source, inbox)
//	err = webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// It runs once, whether the call, the catch-up or both arrive. It has the body
// of the call and no signature: see [webhook.Delivery].Unsigned. JobServ lists
// builds as long as the project exists, and a CatchUp looks at those of the last
// 14 days, see CatchUp.MaxAge.
//
// A look is one request for 50 builds, and one more for each further 50 since
// the last look. Each missing build is another request. The CatchUps of a Client
// make one request at a time. Of a missing build a CatchUp keeps the number, the
// key and the time, of at most 20 000 at a time, and one body.
//
//	                                requests    time                             memory
//	10 000 missing builds           10 200      101 min at 100 requests a min    3 MiB
//	1 000 quiet projects, a look    1 000       spread over Every: 91 to 107     4 KiB a project
//	                                            a minute if it is 10 min
//
// The figures are those of the tests with jobservtest, in fake time:
//
//	go test -v -run 'Backlog|Spread' ./jobserv
//
// Package jobservtest is that part of JobServ, for tests.
//
// # The client
//
// The body contains URLs of the runs, their tests and their console logs. A
// [Client] reads them, and calls only hosts that the program names.
package jobserv
