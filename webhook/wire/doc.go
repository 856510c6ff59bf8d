// Package wire provides types for JSON values that senders write in more than one
// form: [Time], [Int] and [Optional]. Each keeps the form that it was decoded from,
// so that encoding writes it again: null stays null, absent stays absent, and a time
// keeps its text.
//
// The payloads of the providers use these types for their fields, and your own
// payloads can too. The types are values. Copying one is cheap, and all methods
// except UnmarshalJSON are safe for concurrent use. Decoders other than
// encoding/json can use them if they call UnmarshalJSON. A field needs the omitzero
// option of encoding/json, so that it is omitted if it is absent:
//
//	CreatedAt   wire.Time             `json:"created_at,omitzero"`
//	Description wire.Optional[string] `json:"description,omitzero"`
package wire
