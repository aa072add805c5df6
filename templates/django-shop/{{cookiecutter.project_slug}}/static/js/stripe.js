// The card's fields are a frame of Stripe's (docs.stripe.com/payments/payment-element): its number never comes to us.
const form = document.getElementById("card");
const stripe = Stripe(form.dataset.key);
const elements = stripe.elements({ clientSecret: form.dataset.secret });
elements.create("payment").mount("#fields");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  // When it succeeds the browser goes to return_url; what comes back here is what went wrong.
  const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: form.dataset.back } });
  const problem = document.getElementById("problem");
  problem.textContent = error.message;
  problem.hidden = false;
  button.disabled = false;
});
