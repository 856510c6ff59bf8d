// Package githubtest is the part of GitHub's REST API that lists and repeats the
// deliveries of webhooks, for tests of programs with a github.CatchUp or a script of their
// own:
//
//	gh := &githubtest.Server{Token: token, Transport: webhooktest.InMemory(receiver)}
//	gh.AddHook("repos/owner/repo/hooks/1", githubtest.Hook{URL: "http://receiver/hooks/github", Secret: secret})
//	guid := gh.Send(ctx, "repos/owner/repo/hooks/1", "push", body).GUID
//
// [Server.Send] calls the hook as webhooktest.GitHub does, and lists the call with its
// status. Without sockets, in a bubble of testing/synctest, the whole is in fake time:
//
//	client, err := github.NewClient("https://api.github.com", github.Token(token))
//	client.Transport = webhooktest.InMemory(gh)
//
// What it does, and where that comes from; the paths are of https://docs.github.com/en:
//
//   - Lists of deliveries, newest first, with per_page of up to 100, a cursor in the Link
//     header, and the fields of an entry; one delivery with request.headers and
//     request.payload; redelivery with 202 and a new entry with the GUID of the first:
//     rest/repos/webhooks, rest/orgs/webhooks and rest/apps/webhooks.
//   - Deliveries are listed for three days:
//     webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks.
//   - The payload is encoded anew: the documents do not promise the bytes of the call.
//   - X-RateLimit-Limit, -Remaining, -Used and -Reset in epoch seconds, 403 when no request
//     is left, and Retry-After of a secondary limit:
//     rest/using-the-rest-api/rate-limits-for-the-rest-api.
//   - ETag and 304, which does not count against the limit:
//     rest/using-the-rest-api/best-practices-for-using-the-rest-api.
//   - 401 "Bad credentials", 403 "Resource not accessible by personal access token", and 404
//     for what the token cannot see: rest/using-the-rest-api/troubleshooting-the-rest-api.
//   - X-OAuth-Scopes of a classic token:
//     apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps.
//   - 301 for a renamed repository: rest/using-the-rest-api/best-practices-for-using-the-rest-api.
//   - A JSON Web Token with RS256, valid for ten minutes at most, for app/hook:
//     apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app.
//
// The status texts of failed calls, the form of a cursor and the time until a redelivery are
// not documented: those of this package are examples.
package githubtest
