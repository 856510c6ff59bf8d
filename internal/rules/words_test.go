package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A retiredWord was a part of private names and is not used again, because its
// reader had to look it up.
type retiredWord struct {
	word  string // in lower case, with "_" between the words of a compound
	now   string // what to write instead
	room  string // if not empty, the word is retired only here and in packages below
	whole bool   // only as a whole private identifier, because it is part of good names
}

var retiredWords = []retiredWord{
	// Receiving.
	{word: "gate", now: "intake", room: "webhook", whole: true},
	{word: "deny", now: "reject", room: "webhook", whole: true},
	{word: "tell_malformed", now: "logMalformed"},
	// The Spool.
	{word: "turnout", now: "router"},
	{word: "glance", now: "snapshot"},
	{word: "hold_up", now: "pauseIntake"},
	{word: "park", now: "storeLocal"},
	{word: "laid_aside", now: "spoolMeta"},
	// Storing and claiming.
	{word: "marks", now: "dedupKeys", room: "webhook"},
	{word: "marks", now: "dedupKeys", room: "internal/dbtest"},
	{word: "fate", now: "lastState"},
	{word: "fates", now: "lastStates"},
	{word: "overtaken", now: "supersededClaims or hasNewer", room: "webhook"},
	{word: "outdated", now: "hasNewer", room: "webhook"},
	{word: "put_back", now: "retry", room: "webhook/sqlinbox"},
	{word: "held_key", now: "lockedKey"},
	{word: "held_keys", now: "lockedKeys"},
	{word: "pin", now: "writerConn", room: "webhook/sqlinbox"},
	{word: "pinned", now: "singleWriter", room: "webhook/sqlinbox"},
	{word: "hurry", now: "busyTimeoutOff"},
	{word: "hurried", now: "busyTimeoutOff"},
	{word: "patient", now: "busyTimeoutOn", room: "webhook/sqlinbox"},
	{word: "until_free", now: "retryBusy"},
	{word: "put_unseen", now: "storeOptimistic"},
	{word: "put_pooled", now: "storeOptimistic"},
	{word: "put_carefully", now: "storeChecked"},
	{word: "put_patiently", now: "storeAwaitingKey"},
	// Running.
	{word: "last_moment", now: "drainGrace"},
	{word: "told", now: "reportOnce", room: "webhook", whole: true},
	// Measuring.
	{word: "contender", now: "receiverImpl"},
	{word: "contenders", now: "receiverImpls"},
	{word: "keeper", now: "durableImpl", room: "internal/bench"},
	{word: "keepers", now: "durableImpls", room: "internal/bench"},
	{word: "labour", now: "drainImpl"},
	{word: "labourer", now: "drainImpl"},
	{word: "labourers", now: "drainImpls"},
	// Testing.
	{word: "bubble", now: "synctestRun", whole: true},
	{word: "moody", now: "flaky"},
	{word: "quietly", now: "newTestWorker"},
	{word: "arrive", now: "putDelivery", room: "webhook", whole: true},
	{word: "heed", now: "blockUntilDone"},
	{word: "journal", now: "recorder", room: "webhook", whole: true},
	{word: "pass", now: "advance", room: "webhook", whole: true},
}

// snakeCase returns the words of an identifier in lower case, each between "_".
func snakeCase(name string) string {
	var b strings.Builder
	b.WriteByte('_')
	previous := '_'
	for _, r := range name {
		if unicode.IsUpper(r) && previous != '_' && !unicode.IsUpper(previous) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		previous = r
	}
	b.WriteByte('_')
	return b.String()
}

// isIn reports whether a room is another one or below it. Every room is below "".
func isIn(room, other string) bool {
	return other == "" || room == other || strings.HasPrefix(room, other+"/")
}

// retiredIn returns the retired word of an identifier in a room, or nil.
func retiredIn(room, name string) *retiredWord {
	snake := snakeCase(name)
	for i, r := range retiredWords {
		word := "_" + r.word + "_"
		isWhole := snake == word && !ast.IsExported(name)
		if isIn(room, r.room) && (isWhole || !r.whole && strings.Contains(snake, word)) {
			return &retiredWords[i]
		}
	}
	return nil
}

// wordFaults returns the identifiers of a Go file that have a retired word, each once.
func wordFaults(name, text string) (faults []string) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	room := path.Dir(name)
	seen := make(map[string]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !seen[id.Name] {
			seen[id.Name] = true
			if r := retiredIn(room, id.Name); r != nil {
				faults = append(faults, fmt.Sprintf("%d: %s has the retired word %q: write %s", fset.Position(id.Pos()).Line, id.Name, r.word, r.now))
			}
		}
		return true
	})
	return faults
}

// A retiredPhrase is refused in comments, texts and documents.
type retiredPhrase struct {
	phrase string // words; a space is any white space, also between two lines of a comment, and (a|b) is a or b
	now    string // what to write instead
}

var retiredPhrases = []retiredPhrase{
	{`(tell|tells|told|telling) of`, "the verb that says it: reports, has, contains, counts"},
	{`(is|are|was|were|be|been|being) told`, "who gets what: an Observer gets an event, the log has a line"},
	{`(stand|stands|stood|standing) there`, "is, contains, appears"},
	{`for ever`, "indefinitely, or how long"},
	{`(time-out|time-outs)`, "timeout"},
	{`so many`, "the number or the maximum, by its name"},
	{`(work|works|worked|working) off`, "process, handle"},
	{`in earnest`, "the condition: counted, after Begin"},
}

var phraseUses = func() (uses []*regexp.Regexp) {
	for _, p := range retiredPhrases {
		uses = append(uses, regexp.MustCompile(`\b`+strings.ReplaceAll(p.phrase, " ", `(?:\s|//|--)+`)+`\b`))
	}
	return uses
}()

// phraseTexts are the ways to write each phrase on one line.
var phraseTexts = func() (texts [][]string) {
	for _, p := range retiredPhrases {
		all := []string{""}
		for word := range strings.SplitSeq(p.phrase, " ") {
			var longer []string
			for _, start := range all {
				for w := range strings.SplitSeq(strings.Trim(word, "()"), "|") {
					longer = append(longer, strings.TrimPrefix(start+" "+w, " "))
				}
			}
			all = longer
		}
		texts = append(texts, all)
	}
	return texts
}()

// onOneLine returns a text without its comment signs and with one space for any white space.
func onOneLine(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("//", " ", "--", " ").Replace(text)), " ")
}

// A commentSign can be in a phrase that is on two lines.
var commentSign = regexp.MustCompile(`//|--`)

// phraseFaults returns the retired phrases of a text, in order of the list.
func phraseFaults(text string) (faults []string) {
	text = strings.ToLower(text)
	joined := onOneLine(text)
	for i, use := range phraseUses {
		if !slices.ContainsFunc(phraseTexts[i], func(p string) bool { return strings.Contains(joined, p) }) {
			continue // much sooner than by phraseUses
		}
		for _, at := range use.FindAllStringIndex(text, -1) {
			number := 1 + strings.Count(text[:at[0]], "\n")
			found := strings.Join(strings.Fields(commentSign.ReplaceAllString(text[at[0]:at[1]], " ")), " ")
			faults = append(faults, fmt.Sprintf("%d: has %q: write %s", number, found, retiredPhrases[i].now))
		}
	}
	return faults
}

func TestRetiredWordsAreNotUsed(t *testing.T) {
	texts(t, func(name, text string) {
		if strings.HasSuffix(name, ".go") {
			for _, fault := range wordFaults(name, text) {
				t.Errorf("%s:%s", name, fault)
			}
		}
	})
}

func TestRetiredPhrasesAreNotUsed(t *testing.T) {
	texts(t, func(name, text string) {
		for _, fault := range phraseFaults(text) {
			t.Errorf("%s:%s", name, fault)
		}
	})
}

func TestEachRetiredWordIsFound(t *testing.T) {
	for _, r := range retiredWords {
		words := strings.Split(r.word, "_")
		for i, word := range words[1:] {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
		name := strings.Join(words, "")
		text := "package p\n\nvar " + name + " int\n"
		want := fmt.Sprintf("3: %s has the retired word %q: write %s", name, r.word, r.now)
		if got := wordFaults(path.Join(r.room, "a.go"), text); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", r.word, got, want)
		}
		if got := wordFaults("elsewhere/a.go", text); (len(got) == 0) != (r.room != "") {
			t.Errorf("%s in another room: got %q", r.word, got)
		}
		inner := "package p\n\nfunc New" + strings.ToUpper(name[:1]) + name[1:] + "Now() {}\n"
		if got := wordFaults(path.Join(r.room, "a.go"), inner); (len(got) == 0) != r.whole {
			t.Errorf("%s as a part of a name: got %q", r.word, got)
		}
	}
}

func TestGoodNamesHaveNoRetiredWord(t *testing.T) {
	for _, name := range []string{
		"router", "putDelivery", "TestABodyMustArriveInTime", "passed", "Gone", "StatusGone", "navigate", "aggregate", "remarks",
		"returned", "spin", "hold", "upHold", "pinned", "turn", "keeper", "journalMode", "key_held", "ID",
	} {
		if got := wordFaults("examples/a.go", "package p\n\nvar "+name+" int\n"); len(got) > 0 {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestEachRetiredPhraseIsFound(t *testing.T) {
	for _, tt := range []struct{ text, fault string }{
		{"// It tells of a failure.", `1: has "tells of"`},
		{"The log told of it.", `1: has "told of"`},
		{"a\n// b\n// An Observer is\n// told.", `3: has "is told"`},
		{"<p>Nobody was told</p>", `1: has "was told"`},
		{`errors.New("it stands there twice")`, `1: has "stands there"`},
		{"-- It waits for\n-- ever.", `1: has "for ever"`},
		{"The time-outs are long.", `1: has "time-outs"`},
		{"N int // at most so many", `1: has "so many"`},
		{"Deliveries are Worked off.", `1: has "worked off"`},
		{"It was not tried in earnest.", `1: has "in earnest"`},
	} {
		if got := phraseFaults(tt.text); len(got) != 1 || !strings.HasPrefix(got[0], tt.fault+": write ") {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.fault)
		}
	}
	for i, p := range retiredPhrases {
		if phraseUses[i].MatchString("It is for every timeout; a told story is offered. earnest, it stands. off the work!") {
			t.Errorf("%q is found in a text without it", p.phrase)
		}
	}
}
