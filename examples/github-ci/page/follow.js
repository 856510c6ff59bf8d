// Appends new parts of the log as text, and updates the state.
const log = document.getElementById("log");
const events = new EventSource(log.dataset.events);
events.onmessage = (e) => log.append(JSON.parse(e.data));
const show = (e) => {
  const now = JSON.parse(e.data);
  const state = document.getElementById("state");
  state.textContent = state.className = now.state;
  document.getElementById("detail").textContent = now.detail;
};
events.addEventListener("state", show);
events.addEventListener("end", (e) => { show(e); events.close(); });
