// Shows one incident by way of the JSON API. Everything that comes from outside becomes text, never markup.
"use strict";

const KEY = "larkspur.api_key";
const id = decodeURIComponent(location.pathname.split("/")[2] || "");
const base = "/api/v1/incidents/" + encodeURIComponent(id);
const at = (name) => document.getElementById(name);

// Which buttons an incident has, by its progress. The API decides; this only spares people a refusal.
const BUTTONS = {
  triggered: ["acknowledge", "snooze", "close"],
  processing: ["acknowledge", "unacknowledge", "snooze", "close"],
  closed: ["reopen"],
};

function say(text) {
  at("message").textContent = text;
}

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function time(text) {
  const made = element("time", text ? new Date(text).toLocaleString() : "–");
  if (text) made.dateTime = text;
  return made;
}

function fill(parent, children) {
  at(parent).replaceChildren(...children);
}

function signIn(message) {
  sessionStorage.removeItem(KEY);
  at("incident").hidden = true;
  at("sign-in").hidden = false;
  at("key").focus();
  say(message);
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { authorization: "Bearer " + sessionStorage.getItem(KEY), "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const error = new Error((answer.error && answer.error.message) || "The request failed (" + response.status + ").");
  error.signIn = response.status === 401 || response.status === 403;
  throw error;
}

function facts(rows) {
  const list = [];
  for (const [name, value] of rows) {
    const described = element("dd");
    described.append(value);
    list.push(element("dt", name), described);
  }
  return list;
}

function badge(name, value) {
  at(name).textContent = value;
  at(name).dataset.value = value;
}

function alertElement(alert) {
  const made = element("article");
  const list = element("dl");
  const labels = Object.entries(alert.labels);
  list.append(...facts([
    ["Status", alert.status + " (" + alert.count + (alert.count === 1 ? " message)" : " messages)")],
    ["Updated", time(alert.updated_at)],
    ...labels,
  ]));
  made.append(element("h3", alert.title), list);
  if (alert.description) made.append(element("pre", alert.description));
  return made;
}

function entryElement(entry) {
  const made = element("li");
  const detail = entry.detail ? " (" + entry.detail + ")" : "";
  made.append(time(entry.at), " " + entry.kind.replaceAll("_", " ") + " by " + entry.actor + detail);
  return made;
}

function deliveryElement(delivery) {
  const made = element("li", (delivery.name || delivery.destination) + ", " + (delivery.channel || "deleted") + ": " + delivery.state);
  const attempts = element("ul");
  for (const attempt of delivery.attempts) {
    const row = element("li");
    row.append(time(attempt.at), " " + attempt.outcome + (attempt.reason ? " (" + attempt.reason + ")" : ""));
    attempts.append(row);
  }
  if (delivery.attempts.length) made.append(attempts);
  return made;
}

function show(incident, alerts) {
  document.title = "INC #" + incident.num;
  at("num").textContent = "INC #" + incident.num;
  at("title").textContent = incident.title;
  badge("severity", incident.severity);
  badge("progress", incident.progress);
  fill("facts", facts([
    ["Triggered", time(incident.triggered_at)],
    ["Acknowledged", time(incident.acknowledged_at)],
    ["Closed", time(incident.closed_at)],
    ...(incident.snoozed_until ? [["Snoozed until", time(incident.snoozed_until)]] : []),
    ["Assigned to", incident.assignees.join(", ") || "nobody"],
  ]));
  for (const button of document.querySelectorAll("[data-action]")) {
    button.disabled = !BUTTONS[incident.progress].includes(button.dataset.action);
  }
  fill("alerts", alerts.map(alertElement));
  fill("timeline", incident.timeline.map(entryElement));
  fill("deliveries", incident.deliveries.map(deliveryElement));
  at("sign-in").hidden = true;
  at("incident").hidden = false;
}

async function load() {
  const incident = await call("GET", base);
  const alerts = await Promise.all(incident.alerts.slice(0, 20).map((alert) => call("GET", "/api/v1/alerts/" + encodeURIComponent(alert))));
  show(incident, alerts);
}

async function attempt(work) {
  try {
    say("");
    await work();
  } catch (error) {
    if (error.signIn) signIn(error.message);
    else say(error.message);
  }
}

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  attempt(load);
});

at("sign-out").addEventListener("click", () => signIn("Signed out."));

at("actions").addEventListener("click", (event) => {
  const action = event.target.dataset && event.target.dataset.action;
  if (!action) return;
  const body = action === "snooze" ? { minutes: Number(at("minutes").value) } : {};
  event.target.disabled = true;
  attempt(async () => {
    try {
      await call("POST", base + "/" + action, body);
    } finally {
      await load();
    }
  });
});

if (sessionStorage.getItem(KEY)) attempt(load);
else signIn("");
