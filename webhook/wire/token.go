package wire

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
)

// Most tokens of real bodies are plain: they need no decoding. The functions of this
// file handle plain tokens quickly and pass all others to encoding/json, which
// decides what is an error.

// isPlain reports whether a token is a JSON string of printable ASCII without
// escapes. The bytes between its quotes are its text.
func isPlain[S string | []byte](token S) bool {
	end := len(token) - 1
	if end < 1 || token[0] != '"' || token[end] != '"' {
		return false
	}
	for i := 1; i < end; i++ {
		if c := token[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// isInteger reports whether a token is a JSON number of any length without fraction
// and exponent.
func isInteger(token []byte) bool {
	if len(token) > 0 && token[0] == '-' {
		token = token[1:]
	}
	if len(token) == 0 || token[0] == '0' && len(token) > 1 {
		return false
	}
	for _, c := range token {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// scalar returns a copy of a token that is a string, a number or null. It is not ok
// for other tokens and for invalid JSON.
func scalar(token []byte) (raw string, ok bool) {
	if string(token) == "null" {
		return "null", true
	}
	if isPlain(token) || isInteger(token) {
		return string(token), true
	}
	if len(token) == 0 || !json.Valid(token) {
		return "", false
	}
	c := token[0]
	return string(token), c == '"' || c == 'n' || c == '-' || '0' <= c && c <= '9'
}

// unquote returns the text of a JSON string. It is not ok if raw is none.
func unquote(raw string) (text string, ok bool) {
	if isPlain(raw) {
		return raw[1 : len(raw)-1], true
	}
	if raw == "" || raw[0] != '"' {
		return "", false
	}
	var decoded string
	err := json.Unmarshal([]byte(raw), &decoded)
	return decoded, err == nil
}

// setPlain sets the variable that p points to, if its kind is string, bool or a
// signed integer and the token is a plain one of that kind. If it returns false, it
// has set nothing and the caller must use encoding/json. It returns false for every
// type with UnmarshalJSON or UnmarshalText.
func setPlain(p any, token []byte) bool {
	switch p.(type) {
	case json.Unmarshaler, encoding.TextUnmarshaler, *json.Number:
		return false
	}
	switch v := reflect.ValueOf(p).Elem(); v.Kind() {
	case reflect.String:
		if !isPlain(token) {
			return false
		}
		v.SetString(string(token[1 : len(token)-1]))
	case reflect.Bool:
		is := string(token) == "true"
		if !is && string(token) != "false" {
			return false
		}
		v.SetBool(is)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if !isInteger(token) {
			return false
		}
		n, err := strconv.ParseInt(string(token), 10, 64)
		if err != nil || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
	default:
		return false
	}
	return true
}
