package rules

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A retired name was exported and must not be used again, so that there is one word
// for one thing.
type retired struct {
	room  string // the package that declared it
	owner string // the type that it was a field or a method of; empty if none
	name  string
	now   string // the new name
	plain bool   // the name has no other meaning in any text
}

var retiredNames = []retired{
	{room: "webhook", owner: "Delivery", name: "Key", now: "OrderingKey"},
	{room: "webhook", owner: "Delivery", name: "Unique", now: "DedupKeys"},
	{room: "webhook", owner: "Description", name: "Key", now: "OrderingKey"},
	{room: "webhook", owner: "Description", name: "Unique", now: "DedupKeys"},
	{room: "webhook", owner: "Description", name: "Fingerprint", now: "DedupBySignature"},
	{room: "webhook", owner: "Proof", name: "Fingerprint", now: "Signature"},
	{room: "webhook", owner: "Worker", name: "Limit", now: "Concurrency"},
	{room: "webhook", owner: "Worker", name: "Poll", now: "PollInterval"},
	{room: "webhook", owner: "Worker", name: "Grace", now: "ShutdownTimeout"},
	{room: "webhook", owner: "Worker", name: "Keep", now: "Retention of the inbox"},
	{room: "webhook", owner: "Worker", name: "SkipRetrying", now: "RetryOutOfOrder", plain: true},
	{room: "webhook", owner: "Worker", name: "Observe", now: "Observer"},
	{room: "webhook", owner: "Receiver", name: "Observe", now: "Observer"},
	{room: "webhook", owner: "AnyOf", name: "Verifiers", now: "the list of NewAnyOf"},
	{room: "webhook", owner: "AllOf", name: "Verifiers", now: "the list of NewAllOf"},
	{room: "webhook/spool", owner: "Spool", name: "Limit", now: "Concurrency"},
	{room: "webhook/spool", owner: "Spool", name: "Patience", now: "PrimaryTimeout"},
	{room: "webhook/spool", owner: "Spool", name: "Keep", now: "Retention of the inbox"},
	{room: "webhook", owner: "MemInbox", name: "Limit", now: "MaxDeliveries"},
	{room: "webhook", owner: "MemInbox", name: "Untaken", now: "Unhandled", plain: true},
	{room: "webhook", owner: "Outcome", name: "Yield", now: "RetryOutOfOrder"},
	{room: "webhook", owner: "Mux", name: "IgnoreRest", now: "IgnoreUnhandled", plain: true},
	{room: "webhook", name: "Pender", now: "PendingCounter", plain: true},
	{room: "webhook", name: "Behind", now: "Blocked"},
	{room: "webhook", name: "FromContext", now: "DeliveryFromContext"},
	{room: "webhook", name: "NewSpool", now: "spool.New", plain: true},
	{room: "webhook", name: "NewURLToken", now: "URLToken", plain: true},
	{room: "dockerhub", name: "Middleware", now: "dockerhub.Source(...).Middleware"},
	{room: "github", name: "Middleware", now: "github.Source(...).Middleware"},
	{room: "jobserv", name: "Middleware", now: "jobserv.Source(...).Middleware"},
	{room: "jobserv", name: "Sign", now: "jobserv.Verifier(...).Sign"},
	{room: "kudu", name: "Middleware", now: "kudu.Source(...).Middleware"},
	{room: "webhook/sqlinbox", name: "Admin", now: "webhook.Admin"},
	{room: "webhook/sqlinbox", name: "Record", now: "webhook.Record"},
	{room: "webhook/sqlinbox", name: "Filter", now: "webhook.Filter"},
	{room: "webhook/sqlinbox", name: "Note", now: "webhook.Note"},
	{room: "webhook/sqlinbox", name: "Replay", now: "webhook.Replay"},
	{room: "webhook/sqlinbox", name: "Stats", now: "webhook.Stats"},
	{room: "webhook/sqlinbox", name: "ErrNotFound", now: "webhook.ErrNotFound"},
	{room: "webhook/sqlinbox", name: "ErrState", now: "webhook.ErrState"},
	{room: "webhook", owner: "Filter", name: "Key", now: "OrderingKey"},
	{room: "webhook", owner: "Record", name: "Damage", now: "Err"},
	{room: "webhook", owner: "Stats", name: "Untaken", now: "Unhandled", plain: true},
	{room: "webhook/sqlinbox", owner: "Inbox", name: "Untaken", now: "Unhandled", plain: true},
	{room: "webhook/sqlinbox", owner: "Inbox", name: "Observe", now: "Observer"},
	{room: "webhook/webhooktest", owner: "Recorder", name: "Keep", now: "Max"},
}

// qualified returns the name as texts write it: "Worker.Limit", "webhook.Behind".
func (r retired) qualified() string {
	return cmp.Or(r.owner, filepath.Base(r.room)) + "." + r.name
}

// inText returns the name as texts write it, without what it belongs to if it has no other
// meaning.
func (r retired) inText() string {
	if r.plain {
		return r.name
	}
	return r.qualified()
}

// retiredUses find each of retiredNames in a text of any room.
var retiredUses = func() (uses []*regexp.Regexp) {
	for _, r := range retiredNames {
		uses = append(uses, regexp.MustCompile(`\b`+regexp.QuoteMeta(r.inText())+`\b`))
	}
	return uses
}()

// usedIn returns the first use of retiredNames[i] in a text of a room. In its own
// room the name of a package may be a link: [Behind].
func usedIn(room string, i int, text string) string {
	r := retiredNames[i]
	if link := "[" + r.name + "]"; r.room == room && r.owner == "" && strings.Contains(text, link) {
		return link
	}
	if !strings.Contains(text, r.inText()) {
		return "" // much sooner than by retiredUses
	}
	return retiredUses[i].FindString(text)
}

// declaredIn returns what a file declares, as texts qualify it: the names of the
// package, and the fields and methods of its types.
func declaredIn(f *ast.File) []string {
	var names []string
	say := func(owner, name string) { names = append(names, owner+"."+name) }
	members := func(owner string, list *ast.FieldList) {
		for _, field := range list.List {
			for _, n := range field.Names {
				say(owner, n.Name)
			}
		}
	}
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			owner := f.Name.Name
			if d.Recv != nil {
				owner = receiverOf(d.Recv.List[0].Type)
			}
			say(owner, d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						say(f.Name.Name, n.Name)
					}
				case *ast.TypeSpec:
					say(f.Name.Name, s.Name.Name)
					switch t := s.Type.(type) {
					case *ast.StructType:
						members(s.Name.Name, t.Fields)
					case *ast.InterfaceType:
						members(s.Name.Name, t.Methods)
					}
				}
			}
		}
	}
	return names
}

// receiverOf returns the name of the type of a receiver.
func receiverOf(e ast.Expr) string {
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// retiredFaults returns the retired names in a file of a room.
func retiredFaults(room, name, text string) (faults []string) {
	var declared []string
	if strings.HasSuffix(name, ".go") {
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return []string{err.Error()}
		}
		declared = declaredIn(f)
	}
	for i, r := range retiredNames {
		if r.room == room && slices.Contains(declared, r.qualified()) {
			faults = append(faults, fmt.Sprintf("declares %s, which is called %s", r.qualified(), r.now))
		} else if use := usedIn(room, i, text); use != "" {
			faults = append(faults, fmt.Sprintf("has %s, which is called %s", use, r.now))
		}
	}
	return faults
}

func TestRetiredNamesAreNotUsed(t *testing.T) {
	texts(t, func(name, text string) {
		for _, fault := range retiredFaults(path.Dir(name), name, text) {
			t.Errorf("%s %s", name, fault)
		}
	})
}

func TestRetiredNamesAreFound(t *testing.T) {
	for _, tt := range []struct{ name, room, file, text, fault string }{
		{"the new names", "webhook", "a.go", "package webhook\n\ntype Key struct{ Label string }\n\ntype Worker struct{ Concurrency int }\n\ntype Filter struct{ Limit int }\n", ""},
		{"the same name of another type", "webhook", "a.go", "package webhook\n\ntype Budget struct{ Limit int }\n\nfunc (Budget) Observe() {}\n", ""},
		{"the same name of another package", "github", "a.go", "package github\n\ntype License struct{ Key string }\n\nconst Behind = 1\n", ""},
		{"the word in a sentence", "", "README.md", "Behind a proxy, a Key and a Limit. ClaimFromContext, webhook.DeliveryFromContext.", ""},
		{"a field", "webhook", "a.go", "package webhook\n\ntype Worker struct{ Name, Limit int }\n", "declares Worker.Limit, which is called Concurrency"},
		{"a method", "webhook", "a.go", "package webhook\n\nfunc (m *MemInbox) Untaken() {}\n", "declares MemInbox.Untaken, which is called Unhandled"},
		{"a type", "webhook", "a.go", "package webhook\n\ntype Pender interface{ Pending() int }\n", "declares webhook.Pender, which is called PendingCounter"},
		{"a func", "webhook", "a.go", "package webhook\n\nfunc FromContext() {}\n", "declares webhook.FromContext, which is called DeliveryFromContext"},
		{"a constant", "webhook", "a.go", "package webhook\n\nconst (\n\tBlocked, Behind = 1, 2\n)\n", "declares webhook.Behind, which is called Blocked"},
		{"a doc link", "webhook", "a.go", "// [Worker.Grace] ends it.\npackage webhook\n", "has Worker.Grace, which is called ShutdownTimeout"},
		{"a doc link within the package", "webhook", "a.go", "// See [Behind].\npackage webhook\n", "has [Behind], which is called Blocked"},
		{"a doc link within another package", "webhook", "a.go", "// See [Filter].\npackage webhook\n", ""},
		{"a type that moved", "webhook/sqlinbox", "a.go", "package sqlinbox\n\ntype Filter struct{}\n", "declares sqlinbox.Filter, which is called webhook.Filter"},
		{"a use of a type that moved", "examples", "a.go", "package main\n\nvar f sqlinbox.Filter\n", "has sqlinbox.Filter, which is called webhook.Filter"},
		{"a document", "", "README.md", "Set `webhook.Delivery.Key`.", "has Delivery.Key, which is called OrderingKey"},
		{"a name without another meaning", "examples", "a.go", "package main\n\n// IgnoreRest is set.\n", "has IgnoreRest, which is called IgnoreUnhandled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(retiredFaults(tt.room, tt.file, tt.text), "\n"); tt.fault == "" && got != "" || !strings.Contains(got, tt.fault) {
				t.Errorf("got %q, want %q", got, tt.fault)
			}
		})
	}
}
