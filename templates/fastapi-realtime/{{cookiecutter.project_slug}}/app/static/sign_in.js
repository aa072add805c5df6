import { api, Problem } from "./api.js";

const form = document.getElementById("sign-in");
const error = document.getElementById("error");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  error.textContent = "";
  try {
    await api("POST", "/session", { name: form.elements.name.value.trim(), password: form.elements.password.value });
    location.assign("/");
  } catch (problem) {
    error.textContent = problem instanceof Problem ? problem.message : "The server does not answer. Try again.";
    button.disabled = false;
    form.elements.password.select();
  }
});
