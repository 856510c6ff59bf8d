package webhook

import (
	"errors"
	"fmt"
	"strings"
)

// A word is a part of a template that each request replaces, or literal text.
type word uint8

const (
	literalText word = iota
	bodyWord
	timestampWord
	idWord
	urlWord
	numWords
)

var words = map[string]word{"body": bodyWord, "timestamp": timestampWord, "id": idWord, "url": urlWord}

// A part of a template is a word, or literal text.
type part struct {
	word word
	text string // of a literal
}

// A template is the parsed field Signed of a verifier. It has the parts before and
// after the body, so that the body need not be copied.
//
// Two requests that differ in what the verifier reads never have the same signed
// text. The URL is fixed, a timestamp has as many digits as the present time, and
// there is one body. So only the end of an ID needs a mark: the literal beside it.
type template struct {
	head, tail []part
	has        [numWords]bool
	idEnd      string // literal after {id}
	idStart    string // literal before {id}, if the body is before that
}

// parseTemplate parses the field Signed. The empty text is "{body}".
func parseTemplate(text string) (template, error) {
	parts, err := splitTemplate(text)
	if err != nil {
		return template{}, err
	}
	var t template
	side := &t.head
	for i, p := range parts {
		if p.word != literalText && t.has[p.word] {
			return template{}, fmt.Errorf("has {%s} twice", p.text)
		}
		t.has[p.word] = true
		switch p.word {
		case bodyWord:
			side = &t.tail
			continue
		case idWord:
			if i > 0 && parts[i-1].word != literalText || i+1 < len(parts) && parts[i+1].word != literalText {
				return template{}, errors.New("has {id} next to another word: with no text between, two requests could have the same signed text")
			}
			if i+1 < len(parts) {
				t.idEnd = parts[i+1].text
			}
			if i > 0 && t.has[bodyWord] {
				t.idStart = parts[i-1].text
			}
		}
		*side = append(*side, p)
	}
	if !t.has[bodyWord] {
		return template{}, errors.New("has no {body}")
	}
	return t, nil
}

// splitTemplate splits the text into words and literals.
func splitTemplate(text string) (parts []part, err error) {
	if text == "" {
		text = "{body}"
	}
	for rest := text; rest != ""; {
		literal, after, open := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("has a } without a { before it")
		}
		if literal != "" {
			parts = append(parts, part{literalText, literal})
		}
		if !open {
			break
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed {
			return nil, errors.New("has a { without a } after it")
		}
		w, ok := words[name]
		if !ok {
			return nil, fmt.Errorf("has the unknown word {%s}: the words are {body}, {timestamp}, {id} and {url}", name)
		}
		parts = append(parts, part{w, name})
		rest = next
	}
	return parts, nil
}

// isPlain reports whether the signed text is the body.
func (t *template) isPlain() bool { return len(t.head) == 0 && len(t.tail) == 0 }

// checkID refuses an ID whose end in the signed text is not certain. Not only an ID
// that contains the literal is refused: "xa" before the literal "aa" is too, because
// "aa" is found in "xaaa" earlier.
func (t *template) checkID(id string) error {
	switch {
	case id == "":
		return errors.New("is empty")
	case t.idEnd != "" && strings.Index(id+t.idEnd, t.idEnd) != len(id):
		return fmt.Errorf("contains %q, which Signed has after {id}", t.idEnd)
	case t.idStart != "" && strings.LastIndex(t.idStart+id, t.idStart) != 0:
		return fmt.Errorf("contains %q, which Signed has before {id}", t.idStart)
	}
	return nil
}

// signedValues are the values of the words of one request.
type signedValues struct{ timestamp, id, url string }

// appendParts appends the text of parts.
func (v *signedValues) appendParts(dst []byte, parts []part) []byte {
	for _, p := range parts {
		switch p.word {
		case timestampWord:
			dst = append(dst, v.timestamp...)
		case idWord:
			dst = append(dst, v.id...)
		case urlWord:
			dst = append(dst, v.url...)
		default:
			dst = append(dst, p.text...)
		}
	}
	return dst
}
