# Reads what go test -v prints, and prints of each package that failed its failed
# tests, with the last lines of each. Of a package that ended otherwise, as by a
# panic, it prints the last lines. What does not build comes last.
BEGIN { most = 60 }
END { show("# build") }

test == "" && /^# / { test = "# build" }

# On "=== NAME" and "=== CONT" the lines of another test follow.
/^=== (RUN|CONT|NAME) / { test = $3; next }
/^=== PAUSE / { next }
/^[[:space:]]*--- (PASS|SKIP): / { next }
/^[[:space:]]*--- FAIL: / { failed[++fails] = $3; verdict[$3] = $0; next }

/^(ok|FAIL|\?)[[:space:]]+[^[:space:]]/ {
	if (test == "# build") test = ""
	if ($1 == "FAIL") {
		if (fails == 0 || test != "" && !(test in verdict)) show(test)
		for (i = fails; i > 0; i--) { # a test is before its parts
			show(failed[i])
			print verdict[failed[i]]
		}
		print
	}
	test = ""
	fails = room = 0
	split("", failed)
	split("", verdict)
	for (name in count) if (name != "# build") delete count[name]
	next
}

/^(PASS|FAIL)$/ { next }
/^(panic|fatal error): / { room = 40 } # of a panic, the first lines
room != 1 { lines[test, ++count[test]] = $0 }
room > 1 { room-- }

function show(name, n) {
	n = count[name] - most
	if (n > 0) print "    (" n " lines before)"
	for (n = n > 0 ? n : 0; n < count[name]; n++) print lines[name, n + 1]
}
