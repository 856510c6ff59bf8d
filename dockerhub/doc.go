// Package dockerhub receives the webhooks of Docker Hub, which tell of an image
// that was pushed.
//
// A [Source] is what [webhook.NewReceiver] takes, and [Push] is what a callback
// gets:
//
//	http.Handle("/hooks/dockerhub/{token}",
//		webhook.NewReceiver(dockerhub.Source(token), webhook.Store(inbox)))
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[dockerhub.Push]) error {
//		return deploy(ctx, e.Payload.Image())
//	})
//
// The URL to enter in the repository's Webhooks tab then ends in the token:
// https://ci.example.com/hooks/dockerhub/<token>, or ?token=<token> where the
// route has no wildcard. Make the token of 32 random characters, letters and
// digits; the whole URL may have 255 characters.
//
// # What a token proves
//
// Docker Hub signs nothing and has no secret to set. A token proves that the
// caller knows the URL. It does not prove that Docker Hub is the caller, nor
// that the body is genuine, nor that it is new: whoever sees the URL once, in a
// proxy's log or in the repository's settings, can say anything, again and
// again. So serve it over TLS only, keep paths and queries out of access logs,
// give each repository a token of its own, and take the body for a hint: that it
// is worth looking at the registry now. Act on repositories that you expect, and
// pull with credentials and by a digest that the registry itself names.
// [BasicSource] is for proxies that add credentials; it proves no more.
//
// # Bursts
//
// One push is several calls. Users count one per manifest, five or six for an
// image of five architectures, alike in all that identifies them, and a release
// that sets the tags 1.2.3, 1.2, 1 and latest multiplies them (docker/hub-feedback
// 2148). A call has no id, so duplicates cannot be told from pushes that follow
// each other, and none is dropped: no dedup keys are given. Instead the calls
// for one image and tag, which is the ordering key, coalesce: behind an inbox
// only the last of them runs, once the burst has been quiet for the five
// seconds of [DefaultCoalesce]. Set the Source's Coalesce to choose otherwise.
// A call without a tag has no ordering key; it runs by itself.
//
// # What is not sent
//
// There is no digest: images is empty, null or absent, and media_type tells of
// one manifest's format at most. Failed automated builds were never told.
// Docker documents no retry and no time-out, so treat a call that was refused
// as gone: answer after storing, and compare with the registry from time to
// time. The format is undocumented in parts and has varied since 2013: [Push]
// keeps null, absent and empty apart where they have been seen to differ.
//
// # The callback URL
//
// A body names a callback_url, from the days when webhooks could be chained.
// Docker calls it legacy and unsupported, and it answers 404. This package keeps
// it as data and never calls it. Do not either: it comes from a body that nobody
// signed, so fetching it lets whoever knows the token choose where a program
// inside your network connects to.
//
// # What a body is
//
// An object push_data and a text repository.repo_name make a push; no other
// field decides it, and no other than push_data.tag has a part in the ordering
// key. The ordering key is as it is sent: names of repositories are in lower
// case by Docker Hub's rules, and tags that differ by case are two tags.
//
// # Look-alikes
//
// Other registries send push_data and repository too; Aliyun's has no repo_name
// and times as text. A body without an object push_data and a text
// repository.repo_name is of type "dockerhub.unknown". One that is not JSON, or
// in which a name that routing reads stands twice or in another case, is a
// "dockerhub.push" that ends in [webhook.ErrMalformed].
package dockerhub
