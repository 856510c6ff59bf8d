// Shows new and changed deliveries in the list. The page works without it.
"use strict";
(() => {
	const rows = document.querySelector("#list tbody");
	const status = document.getElementById("live");
	const query = new URLSearchParams(location.search);
	if (!rows || !status || !window.EventSource || query.has("before")) return;
	const maxRows = 200;

	// visible escapes what is no printable character, as the pages do.
	const named = {"\x07": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"};
	const escaped = (c) => {
		const n = c.codePointAt(0), hex = (digits) => n.toString(16).padStart(digits, "0");
		return named[c] || (n < 0x80 ? "\\x" + hex(2) : n < 0x10000 ? "\\u" + hex(4) : "\\U" + hex(8));
	};
	const visible = (text) => (text || "").replace(/(?! )[\p{C}\p{Z}]/gu, escaped);
	const short = (text) => text.length > 160 ? text.slice(0, 160) + "…" : text;
	const say = (text) => {
		status.hidden = false;
		if (status.textContent !== text) status.textContent = text;
	};
	const urlOf = (row) => row.querySelector("a").getAttribute("href");
	const find = (url) => [...rows.rows].find((row) => urlOf(row) === url);
	const cell = (row, content) => {
		const td = document.createElement("td");
		td.append(content);
		row.append(td);
	};

	// choice lets a person choose a delivery for a replay or a burial.
	const choosable = rows.closest("form") !== null;
	const choice = (d) => {
		const box = document.createElement("input");
		box.type = "checkbox";
		box.name = "seqs";
		box.value = d.seq;
		box.setAttribute("aria-label", "Choose the delivery of " + visible(d.type) + ", seq " + d.seq);
		return box;
	};
	const isChosen = (row) => row.querySelector("input:checked") !== null;

	const rowOf = (d) => {
		const row = document.createElement("tr");
		const state = document.createElement("span");
		state.className = "state " + d.state;
		state.textContent = d.state;
		cell(row, state);
		if (choosable) row.firstChild.prepend(choice(d), " ");
		const link = document.createElement("a");
		const time = document.createElement("time");
		link.setAttribute("href", d.url);
		time.dateTime = d.received_at;
		time.textContent = d.received_at.slice(0, 19).replace("T", " ");
		link.append(time);
		cell(row, link);
		for (const text of [d.type, d.key, short(d.reason || "")]) cell(row, visible(text));
		if (d.unsigned) {
			const mark = document.createElement("span");
			mark.className = "unsigned";
			mark.textContent = "unsigned";
			row.cells[2].append(" ", mark);
		}
		row.dataset.seq = d.seq;
		return row;
	};

	const show = (d) => {
		const old = find(d.url);
		const row = rowOf(d);
		if (old && Number(old.dataset.seq) === d.seq) {
			const focused = old.contains(document.activeElement) && document.activeElement.tagName.toLowerCase();
			if (isChosen(old)) row.querySelector("input").checked = true;
			old.replaceWith(row);
			if (focused) row.querySelector(focused).focus();
			return;
		}
		if (old) old.remove();
		// Newest first; one that is older than the last row of a full page is on another page.
		const next = [...rows.rows].find((r) => Number(r.dataset.seq) < d.seq);
		if (next) next.before(row);
		else if (rows.rows.length < 50) rows.append(row);
	};

	let source = null;
	let begins = false; // a stream begins with the newest deliveries, no more than 50
	let gap = false; // some changes were lost, and are until the page is loaded again
	const onMessage = (event) => {
		const update = JSON.parse(event.data);
		const overlaps = rows.rows.length === 0 || update.deliveries.some((d) => find(d.url));
		gap = gap || update.missed || update.dropped > 0 || begins && update.deliveries.length >= 50 && !overlaps;
		begins = false;
		for (const d of update.deliveries) show(d);
		for (const url of update.gone) {
			const row = find(url);
			if (row) row.remove();
		}
		while (rows.rows.length > maxRows) rows.lastElementChild.remove();
		const none = document.getElementById("none");
		if (none && rows.rows.length > 0) none.remove();
		if (update.error) say("Live updates wait: " + update.error + ".");
		else if (gap) say("Some changes are not shown. Load the page again to see them.");
		else say("The list is live.");
	};
	// A browser has few connections for all pages of a host, so one that nobody sees has none.
	const close = () => {
		if (source) source.close();
		source = null;
	};
	const open = () => {
		if (source || document.hidden) return;
		source = new EventSource("api/live" + location.search);
		source.onopen = () => {
			begins = true;
			if (!gap) say("The list is live.");
		};
		source.onmessage = onMessage;
		source.onerror = () => {
			if (source.readyState !== EventSource.CLOSED) return say("Live updates are interrupted.");
			close(); // the server refuses it, and the browser does not ask again
			say("There are no live updates, because the server refuses them. The page asks again.");
			setTimeout(open, 5000);
		};
	};
	document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
	addEventListener("pagehide", close);
	addEventListener("pageshow", open); // also when it comes back from the history
	open();
})();
