package receivertest

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// headers returns the headers as a framework hands them over, one value each and in lower
// case: as a JSON object, and as lines of a name and a value.
func headers(t *testing.T, r request) (object, lines string) {
	t.Helper()
	all := make(map[string]string)
	for name, values := range r.header {
		all[strings.ToLower(name)] = values[0]
		lines += strings.ToLower(name) + " " + values[0] + "\n"
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), lines
}

// verifies runs a program on all cases: it ends with an error unless the request is genuine,
// and prints the text of the comment then.
func verifies(t *testing.T, files map[string]string, env []string, program string, args ...string) {
	t.Helper()
	for _, c := range cases(t) {
		files["body"] = string(c.body)
		files["headers.json"], files["headers"] = headers(t, c.request)
		got, err := execute(t, files, append(env, "WEBHOOK_SECRET="+c.secret), program, args...)
		if (err == nil) != c.genuine || c.genuine && got != `5 < 6 & "café" Ж` {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
}

func TestTheJavaScriptVerifies(t *testing.T) {
	if tools["node"] == "" {
		return
	}
	modules, err := filepath.Abs("node_modules/standardwebhooks/dist/index.js")
	if err != nil {
		t.Fatal(err)
	}
	// A module is found from the file that imports it, and this one is elsewhere.
	code := strings.Replace(blocks(t, "js")[0], `"standardwebhooks"`, `"`+modules+`"`, 1)
	verifies(t, map[string]string{
		"verify.mjs": code,
		"main.mjs": `import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";
console.log(verify(readFileSync("body"), JSON.parse(readFileSync("headers.json"))).text);`,
	}, nil, tools["node"], "main.mjs")
}

func TestThePythonVerifies(t *testing.T) {
	if tools["python3"] == "" {
		return
	}
	verifies(t, map[string]string{
		"receive.py": blocks(t, "python")[0],
		"main.py": `import json
import receive
print(receive.verify(open("body", "rb").read(), json.load(open("headers.json")))["text"])`,
	}, []string{"PYTHONPATH=" + filepath.Join(libraries, "python"), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8"}, tools["python3"], "main.py")
}

// The headers are lines of a name and a value, since Java has no JSON of its own.
func TestTheJavaVerifies(t *testing.T) {
	if tools["javac"] == "" {
		return
	}
	sources, err := filepath.Glob(filepath.Join(libraries, "java/src/main/java/com/standardwebhooks/exceptions/*.java"))
	if err != nil {
		t.Fatal(err)
	}
	classes := t.TempDir()
	sources = append(sources, filepath.Join(libraries, "java/src/main/java/com/standardwebhooks/WebhookBase.java"),
		filepath.Join(libraries, "java/src/main/java11/com/standardwebhooks/Webhook.java"), "Verify.java", "Main.java")
	files := map[string]string{"Verify.java": blocks(t, "java")[0], "Main.java": mainJava}
	if out, err := execute(t, files, nil, tools["javac"], append([]string{"-encoding", "UTF-8", "-d", classes}, sources...)...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	verifies(t, map[string]string{}, nil, filepath.Join(filepath.Dir(tools["javac"]), "java"), "-cp", classes, "Main")
}

const mainJava = `import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class Main {
  public static void main(String[] args) throws Exception {
    Map<String, List<String>> headers = new HashMap<>();
    for (String line : Files.readAllLines(Path.of("headers"))) {
      headers.put(line.split(" ", 2)[0], List.of(line.split(" ", 2)[1]));
    }
    String body = Files.readString(Path.of("body"));
    Verify.verify(body, headers);
    String text = body.replaceAll(".*\"text\":\"(.*)\" }", "$1").replace("\\u0026", "&").replace("\\u00e9", "é").replace("\\\"", "\"");
    new PrintStream(System.out, true, "UTF-8").println(text);
  }
}
`
