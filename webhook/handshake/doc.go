// Package handshake has the handshakes of common senders: the requests by which a sender
// tests an address before it sends deliveries to it. Each func is a value for
// [webhook.Source.Handshake]:
//
//	slack := webhook.Source{
//		Name:      "slack",
//		Verifier:  verifier, // an HMAC over the time and the body
//		Handshake: handshake.Slack,
//	}
//
// A Source without a Handshake answers none of them.
//
//	func                 request                                    proven by             answer
//	Slack                POST, type url_verification                the signature         the challenge
//	Zoom                 POST, event endpoint.url_validation        the signature         the token and its MAC
//	DiscordEvents        POST, type 0 and no event                  the signature         204
//	DiscordInteractions  POST, type 1 and no event                  the signature         {"type":1}
//	Meta                 GET with hub.challenge                     the verify token      the challenge
//	MicrosoftGraph       POST with validationToken, no JSON         nothing               the token
//	CloudEvents          OPTIONS with WebHook-Request-Origin        nothing               the origin, if it is listed
//	Trello               HEAD                                       nothing               200
//
// An answer has nothing of the request except what the table names. What is echoed is
// plain text of bounded length in a header or a body that no browser reads as a page:
//
//   - A challenge or token of Slack, Zoom and Meta has at most 256 bytes, of ASCII letters,
//     digits and the characters - _ . ~ + / =
//   - A token of Microsoft Graph has at most 1 KiB of printable ASCII without < and >.
//   - An origin of CloudEvents is one of the list.
//
// If the request of Slack, Zoom or Discord has another form, it is not a handshake and
// becomes a delivery. That includes a body with a member of the table twice, or in another
// case. All funcs are safe for concurrent use.
package handshake
