"use strict";
// Shows the document as a list of operations, each with a form that sends the request.

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const resolve = (document_, schema) => {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? document_.components.schemas[name] : schema;
};

// An example of a value, as far down as is of use.
const example = (document_, schema, depth = 0) => {
  const form = resolve(document_, schema) || {};
  if (depth > 4) return null;
  if (form.enum) return form.enum[0];
  const type = Array.isArray(form.type) ? form.type.find((it) => it !== "null") : form.type;
  if (type === "array") return [example(document_, form.items, depth + 1)];
  if (form.properties) {
    const fields = Object.entries(form.properties);
    return Object.fromEntries(fields.map(([name, it]) => [name, example(document_, it, depth + 1)]));
  }
  return { integer: 0, number: 0, boolean: false, string: "" }[type] ?? null;
};

const send = async (method, path, operation, inputs, body, output) => {
  const query = new URLSearchParams();
  const headers = {};
  let target = path;
  for (const [parameter, input] of inputs) {
    if (!input.value) continue;
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (parameter.in === "query") query.set(parameter.name, input.value);
    if (parameter.in === "header") headers[parameter.name] = input.value;
  }
  const token = document.getElementById("token").value;
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  const url = query.size ? `${target}?${query}` : target;
  output.textContent = "…";
  try {
    const answer = await fetch(url, { method, headers, body: body ? body.value : undefined });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON */ }
    output.textContent = `${answer.status} ${method} ${url}\n${shown.slice(0, 100000)}`;
  } catch (error) {
    output.textContent = String(error);
  }
};

const card = (document_, path, method, operation) => {
  const inputs = (operation.parameters || []).map((parameter) => {
    const input = element("input", { placeholder: parameter.description || "", required: parameter.required });
    return [parameter, input, element("label", {}, `${parameter.name} (${parameter.in}) `, input)];
  });
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const body = content && element("textarea", {
    rows: 6, spellcheck: false, value: JSON.stringify(example(document_, content.schema), null, 2),
  });
  const output = element("pre", { tabIndex: 0 });
  const form = element("form", {}, ...inputs.map((it) => it[2]));
  if (body) form.append(element("label", {}, "body ", body));
  form.append(element("button", {}, "Send"), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method.toUpperCase(), path, operation, inputs, body, output);
  });
  const roles = operation["x-roles"] ? operation["x-roles"].join(", ") : "everybody";
  return element("details", { id: operation.operationId },
    element("summary", {}, element("b", { className: method }, method.toUpperCase()), ` ${path} `, element("span", {}, operation.summary)),
    element("p", {}, `For: ${roles}.`), form);
};

fetch("/api/openapi.json").then((answer) => answer.json()).then((document_) => {
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(card(document_, path, method, operation));
    }
  }
  const main = document.getElementById("operations");
  main.replaceChildren(...[...groups].map(([tag, cards]) =>
    element("section", {}, element("h2", {}, tag), ...cards)));
});
