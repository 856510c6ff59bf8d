// Package dockerhub receives the webhooks that Docker Hub sends when an image
// is pushed.
//
// Pass a [Source] to [webhook.NewReceiver] and register a callback that takes a
// [Push]:
//
//	http.Handle("/hooks/dockerhub/{token}",
//		webhook.NewReceiver(dockerhub.Source(token), webhook.Store(inbox)))
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[dockerhub.Push]) error {
//		return deploy(ctx, e.Payload.Image())
//	})
//
// In the repository's Webhooks tab, enter a URL that ends in the token:
// https://ci.example.com/hooks/dockerhub/<token>, or ?token=<token> if the
// route has no wildcard. Use 32 random letters and digits as the token. Docker
// Hub accepts URLs of up to 255 characters.
//
// # What a token proves
//
// Docker Hub signs nothing and has no setting for a secret. A token proves that
// the caller knows the URL. It does not prove that Docker Hub is the caller,
// that the body is genuine, or that it is new: anybody who sees the URL once,
// in a proxy's log or in the repository's settings, can send any body, any
// number of times. Therefore:
//
//   - Serve the URL over TLS only.
//   - Keep paths and queries out of access logs.
//   - Give each repository its own token.
//   - Treat the body as a hint to look at the registry.
//   - Act only on repositories that you expect, and pull with credentials and
//     by a digest that the registry itself reports.
//
// [BasicSource] is for proxies that add credentials. A password proves no more
// than a token.
//
// # Bursts
//
// One push causes several calls. Users count one call per manifest, five or six
// for an image of five architectures, with the same identifying fields. A
// release that sets the tags 1.2.3, 1.2, 1 and latest multiplies them
// (docker/hub-feedback 2148).
//
// A call has no id, so a duplicate cannot be distinguished from a second push.
// No call is dropped: deliveries have no dedup keys. Instead, calls with the
// same ordering key, which is the image with its tag, coalesce. Behind an inbox
// only the last call of a burst runs, after five seconds without another one;
// see [DefaultCoalesce]. To change that, set the Source's Coalesce. A call
// without a tag has no ordering key and runs by itself.
//
// # What is not sent
//
// A body has no digest: images is empty, null or absent, and media_type names
// the format of one manifest at most. Docker Hub never reported failed
// automated builds. Docker documents neither retries nor a timeout, so assume
// that a refused call is lost: answer after storing, and let a [CatchUp] compare
// with the registry. Parts of the format are undocumented, and it has
// varied since 2013. [Push] distinguishes null, absent and empty where they
// have been seen to differ.
//
// # What was missed
//
// A [CatchUp] asks the registry for the digests of the tags that a program
// watches, and hands over each one that it has not handed over before. A [Client]
// needs no credentials for public repositories. It asks by HEAD, which is no
// pull.
//
//	client := dockerhub.NewClient("", webhook.Secret{})
//	catchUp := dockerhub.NewCatchUp(client, "acme/app", []dockerhub.Tag{"latest"}, source, inbox)
//	err := webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// # Cost of a catch-up
//
// As go test -v -run TestTheCost ./dockerhub measures, against package dockerhubtest:
//
//   - The first look at 1 000 tags makes 1 000 HEADs, which are no pulls, gets one token, and
//     asks Docker Hub's API once for each tag until that limits, which it does after 180 here.
//     It takes 4 MiB, with the pushes in memory. The pushes without an answer of the API lack
//     PushedAt and Pusher.
//   - A later look makes 1 000 HEADs and nothing else until a tag moves.
//
// # The callback URL
//
// A body has a callback_url, from the time when webhooks could be chained.
// Docker calls it legacy and unsupported, and it answers 404. This package
// keeps it as data and never calls it. Your program should not call it either:
// the body is unsigned, so a request to that URL would let anybody who knows
// the token choose which host a program inside your network connects to.
//
// # Types and keys
//
// A body with an object push_data and a string repository.repo_name is a
// "dockerhub.push". No other field affects the type. The ordering key consists
// of repository.repo_name and push_data.tag, unchanged: Docker Hub requires
// repository names in lower case, and tags that differ in case are different
// tags.
//
// Any other JSON body is a "dockerhub.unknown". Other registries send push_data
// and repository too: Aliyun's bodies have no repo_name and have times as text.
//
// A body that is not JSON is a malformed "dockerhub.push", and so is a body in
// which push_data, its tag, repository or its repo_name appears twice or in a
// different case. Decoding it returns [webhook.ErrMalformed].
package dockerhub
