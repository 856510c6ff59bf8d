// Package inspect shows the deliveries of an inbox to the people who run a service: what
// arrived, what was in it, what came of each attempt, and what waits. They can replay,
// bury, release and pause. An [Inspector] is an http.Handler, mounted like net/http/pprof:
//
//	inspector, err := inspect.New(inbox, inspect.BasicAuth(map[string]webhook.Secret{"ops": password}))
//	http.Handle("/debug/hooks/", inspector)
//
// It may be mounted at any path that ends in a slash, with a [http.ServeMux] or behind
// http.StripPrefix. It needs nothing but the standard library, and loads nothing from
// elsewhere.
//
// The pages work without script, and with a keyboard, on a phone and in the dark. They have
// a list with filters in its URL, a delivery with its body as JSON, text or hex, and a page
// for each act that asks whether it is meant.
//
// # Calls
//
// A receiver that is mounted with [Inspector.Watch] has its last calls on the page "Calls", also
// those that it refused, and the page of a delivery has the answer that its sender got:
//
//	http.Handle("/hooks/github", inspector.Watch(source, webhook.NewReceiver(source, webhook.Store(inbox))))
//
// The page of a refused call says why: a header that is missing, a digest of another kind, a
// body that something read before, a secret with a newline at its end, a body that a proxy has
// re-encoded, a clock that is wrong, a key of another source. It finds that out when a
// person opens it for the first time, and shows neither a secret nor a signature. Calls are in
// memory, and a restart loses them.
//
// # Who may use it
//
// The second argument of [New] decides, for each request. It has no default, because the
// bodies of stored deliveries may be confidential. [BasicAuth] asks for a password.
// [LoopbackOnly] lets in everybody on the machine, and nobody else. A func of the program's
// own can ask its sessions. A request that changes something must not come from another
// site: see [http.CrossOriginProtection]. ReadOnly refuses all of them.
//
// # What is never shown
//
//   - Values of headers that prove a call, or that look as if they did: Authorization,
//     Cookie, signatures, digests, tokens, keys, and URLs as proxies pass them on. They are
//     shown as REDACTED. Of a URL in another header, or in the reason of a delivery, the
//     scheme and the host are shown, and of token=x and the like the name. Add names with
//     Inspector.Redact.
//   - Dedup keys that are signatures.
//   - The path of a call: its pattern is shown. Of a refused call also no header that has what
//     the path, the query or the header of its token has.
//   - The body of the answer to a handshake, which may have a MAC that the sender asks for, of a
//     redirect, which has the path, and of a handler behind [webhook.Source.Middleware].
//   - What the database says about a failure. That is in the log.
//
// The body is shown as it is, also that of a refused call. A secret that a sender puts there
// can be read.
//
// # Cost
//
// Nothing runs while nobody looks. Live lists share one look at the inbox, at most four times
// a second. A viewer that does not read is dropped after five seconds, and delays nobody.
// There can be 200 of them; a shutdown of the server waits for them unless it calls
// [Inspector.Close].
//
// A page reads a bounded number of deliveries: if a filter matches few, it says how far back
// it has looked, and offers to go on. States are counted to 10 000. At most four bodies are
// in memory at a time, of which two are downloads, and two more that are being sent.
//
// A watched receiver copies what it reads of a body, up to 256 KiB, and keeps it if the call is
// refused. No more than 30 causes a minute are looked for, one at a time, with no more than 400
// signatures each, over no more than 32 MiB.
//
// # Acts
//
// An act has who and why. The inbox records them with a replay, a bury and a pause, but
// not with a release or a resume. The inspector logs each act, and keeps the last 200,
// also those that failed, until the program ends.
//
// What a list shows can be replayed or buried as a whole, or the deliveries that are chosen in it,
// at 5 a second, or up to 100:
//
//   - The selection is fixed when it begins: a delivery that arrives later has a higher seq.
//     The later run of one that anybody replays has a higher seq too, so no run is replayed
//     twice. A delivery that was not finished when the selection began is in it if it is
//     finished when its turn comes.
//   - It runs in this process, oldest first. One runs at a time. It can be stopped, and ends
//     with [Inspector.Close] and with the program.
//   - It ends when the store fails. The page says how many were replayed or buried, and offers to
//     go on with the rest, which is the same selection: what is done has left it.
//   - A delivery is skipped if it was replayed or deleted since, or if its state does not
//     allow it. The first 50 are listed.
//
// With Inspector.Send, a body can be sent to a URL, signed with a key for tests: that of a
// delivery, as stored or edited, or another one. See [Send].
//
// # JSON
//
// The API has these calls, below the place where the inspector is mounted. Names of members
// do not change; new ones may be added. Times are RFC 3339, in UTC. An error has a status
// that is not 200, and the member error, a text.
//
//	GET  api/deliveries  a page of deliveries, newest first
//	GET  api/delivery    one delivery
//	GET  api/attempts    its attempts that failed or were lost, oldest first
//	GET  api/neighbors   up to five newer and five older deliveries of its ordering key
//	GET  api/body        its body, byte for byte, as a file
//	GET  api/overview    deliveries by state, what waits longest, and pauses
//	GET  api/calls       the last calls of watched receivers, newest first
//	GET  api/call        one call, and why it was refused
//	GET  api/acts        the last acts, newest first
//	GET  api/live        what is new or changes, as server-sent events
//	GET  api/replays     the last ten replays of selections, newest first
//	POST api/replays     begins one
//	POST api/replays/stop
//	GET  api/burials     the same of burials of selections
//	POST api/burials     begins one
//	POST api/burials/stop
//	POST api/send        sends a body, signed with a key of Inspector.Send
//	POST api/replay      and api/bury, api/release: of one delivery
//	POST api/pause       and api/resume: of a type, or of all if it is empty
//
// The list has these parameters, each optional; a delivery matches all that are given. Any
// other parameter is an error, and so is a query of more than 4096 bytes.
//
//	source, type, key, id  equal to this; key is the ordering key, and id that of the sender
//	state                  one of these, separated by commas
//	text                   part of the reason as it is shown, without regard to ASCII case
//	since, until           received then or later, before; 2006-01-02T15:04 in UTC, RFC 3339, or how long ago: 90s, 2h, 3d
//	before                 with a lower seq than this
//	limit                  from 1 to 200; 50 if it is missing
//
// The answer has deliveries, and next if there may be more: it is the before of the next
// page. If partial is true, the page ends because it looked at enough deliveries, back to
// looked_back, and not because it is full. The calls for one delivery have the parameter
// uid. A delivery has the members that the program hookhouse prints: uid, seq, source, id,
// type, key, state, attempt, received_at, due_at, lease_until, ended_at, reason, replayed,
// revived, size, key_label, unsigned; by itself also not_before, malformed, damage, trace_id,
// header, dedup_keys, replays (at, by, why, was) and attempts (number, at, took_ms, state, lost,
// reason, by), summary, and what is only likely or in memory: calls, those that became the delivery
// or are duplicates of it, oldest first, and the UIDs likely_superseded_by and likely_superseded.
//
// The list of calls has the parameters refused, which is 1 for refused calls alone, before, an n,
// and limit. Its answer has calls, next, and lost, how many refused calls are no longer kept. A
// call has n, at, source, method, pattern, status (zero: none was seen), class, reason, uid, type,
// duplicate, took_ms, answer, answer_cut, and answer_hidden if it has one that is not kept. The class of a refusal is one of these: unverified,
// malformed, media_type, too_large, method, body_read, overloaded, not_stored, panic, failed, and
// other if the receiver did not answer.
//
// A call by itself is that with the parameter n. It also has client, content_length (-1: none),
// read, body_end (none, unread, part, whole, short, broken); if it was refused header, headers_left,
// body, body_kind, body_cut, and why, a list of cause and help, the likeliest first, with
// why_note, what was not looked at. The causes are
//
//	header_missing, header_repeated, header_malformed
//	digest_prefix, digest_size, digest_encoding, sha1_only
//	body_read_before, body_empty, body_broken, body_reencoded, form_of_json, json_of_form
//	secret_wrong, secret_padded, sender_secret_padded, secret_quoted, secret_encoded
//	clock, other_source, other_url, old_key, key_added, keys, token_missing, basic_missing
//	method, media_type, too_large, malformed, overloaded, handler, panic, failed, verifier, other, unknown
//
// An act has at, act, uid, seq, type, of (what it is of, if that is no delivery and no type), by,
// why, result (what came of it) and error, if it was refused or failed.
//
// The overview has count, by state, with n, and more if there are more than n;
// oldest_seconds, by type; unhandled, the types that no worker of this process takes; paused
// (type, by, why, at); and read_only.
//
// The live list has the parameters of the list, and does not regard before and limit. It
// compares the newest 200 deliveries, and sends first those that match, no more than 50,
// and then what changes, at most four times a second. The data of an event is an object with
// deliveries, each with url, the URL of its page; gone, the URLs of those that changed and do
// not match; dropped, how many changes were lost because the viewer reads slowly; missed, if
// more were new than are read at a time; and error. A stream ends after five minutes: ask
// again.
//
// A replay of a selection has source, type, key, id, state, text, since, until and before, as the
// list has them, or seqs, a list of up to 200; rate, deliveries a second; why, and by. At least one
// beside before is needed. If before is missing, it is above the newest delivery; give that of an
// earlier answer to replay what is left of it. The answer, and each of the list replays, has id,
// state (running, done, stopped, failed), selection (its parameters), rate, by, why, began_at,
// ended_at, matched (n, and more if there are more; missing until they are counted), replayed,
// skipped, faults (uid, error) and error. To stop one, post id, why and by. A burial is the same of
// deliveries that are waiting or blocked, with buried in place of replayed; act says which one it is.
//
// To send, post key, the name of one; url; uid, or body, a text of up to 256 KiB, or both, when
// the text is in place of the body of the delivery; event, for GitHub, and content_type, which
// are those of the delivery otherwise; keep_id, true to send the ID of the delivery and not a new
// one; why, and by. The answer has status, took_ms, id, sent (bytes), header, body (text, its
// first 64 KiB) or base64, cut if there is more, and note. If the target does not answer, the
// status is 502 or, if it does not do so in time, 504. If it may not be called, it is 403.
//
// The body of another POST is an object with uid, or type, and why, and by unless who calls is
// logged in. A replay may have seq, as the delivery had it: then it is refused if the delivery
// was replayed since, so that a call that is made again acts once. The Content-Type is
// application/json, and the status 415 otherwise:
//
//	curl -u ops -H 'Content-Type: application/json' -d '{"uid":"019cadf4d7c80a4f6f4c2b8d1e3a5b7c","why":"the registry is back"}' \
//		https://service.example.com/debug/hooks/api/replay
//
// The statuses: 400 a fault of the request, 401 and 403 not allowed, 404 no such delivery or call, 409
// its state does not allow it, 503 and 504 the store has failed.
package inspect
