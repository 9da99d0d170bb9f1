"use strict";
// The secret stands behind the #, so that no log and no proxy sees it.
document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const outcome = document.getElementById("outcome");
  const answer = await fetch("/api/v1/setup", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      secret: location.hash.slice(1),
      name: document.getElementById("name").value,
      password: document.getElementById("password").value,
    }),
  });
  if (answer.ok) {
    document.getElementById("form").remove();
    outcome.textContent = "Done. Sign in with POST /api/v1/session, or make tokens for programs.";
  } else {
    const problem = await answer.json();
    outcome.textContent = [problem.detail, problem.hint].filter(Boolean).join(" ");
  }
});
