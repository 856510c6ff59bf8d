// Package wire has the leaf types for JSON that senders write in more than one
// way: [Time], [Int] and [Optional]. Each keeps what it was given, so that a
// payload that is decoded and encoded again says the same: null stays null,
// absent stays absent, and a time keeps its spelling.
//
// The providers' payloads are made of them, and payloads of your own can be.
// They are values: copying one is cheap, and all methods but UnmarshalJSON are
// safe for concurrent use. They also serve other decoders that call
// UnmarshalJSON, and need the omitzero option of encoding/json to be left out
// when absent:
//
//	CreatedAt   wire.Time             `json:"created_at,omitzero"`
//	Description wire.Optional[string] `json:"description,omitzero"`
package wire
