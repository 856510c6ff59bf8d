package buildlog

import "bytes"

// hidden stands for a secret.
const hidden = "***"

// A mask hides secrets in a text that arrives in parts, and marks lines that look like
// those of the program. The zero value hides nothing.
type mask struct {
	secrets [][]byte
	first   [256]bool // the first bytes of the secrets
	held    []byte    // the end of the text so far, which may be the begin of a secret
	inLine  bool      // the text before held ends within a line
}

func newMask(secrets [][]byte) mask {
	m := mask{secrets: secrets}
	for _, s := range secrets {
		m.first[s[0]] = true
	}
	return m
}

// next returns what can be written when p has arrived.
func (m *mask) next(p []byte) []byte { return m.take(append(m.held, p...), false) }

// rest returns what is kept back, when no more arrives.
func (m *mask) rest() []byte { return m.take(m.held, true) }

func (m *mask) take(text []byte, last bool) []byte {
	out := make([]byte, 0, len(text))
	i := 0
	for i < len(text) {
		length, more := m.at(text[i:])
		if more && !last {
			break
		}
		switch {
		case length > 0:
			out, m.inLine = append(out, hidden...), true
			i += length
			continue
		case !m.inLine && bytes.HasPrefix(text[i:], []byte(ownLine)):
			out = append(out, "| "...)
		}
		m.inLine = text[i] != '\n' && text[i] != '\r'
		out = append(out, text[i])
		i++
	}
	m.held = append([]byte(nil), text[i:]...)
	return out
}

// at returns the length of the longest secret that text begins with, or 0. more reports
// whether text is too short to say: whether it may be the begin of a longer secret, or of
// a line that looks like one of the program.
func (m *mask) at(text []byte) (length int, more bool) {
	if !m.inLine && len(text) < len(ownLine) && bytes.HasPrefix([]byte(ownLine), text) {
		return 0, true
	}
	if !m.first[text[0]] {
		return 0, false
	}
	for _, s := range m.secrets {
		switch {
		case bytes.HasPrefix(text, s):
			length = max(length, len(s))
		case len(text) < len(s) && bytes.HasPrefix(s, text):
			more = true
		}
	}
	return length, more
}
