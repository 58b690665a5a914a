// Signing in to the admin by a passkey: asks for a challenge, has the device answer it, sends the form.
"use strict";

(() => {
  const form = document.getElementById("login-form");
  const way = document.getElementById("passkey-way");
  const button = document.getElementById("passkey-button");
  const status = document.getElementById("passkey-status");
  // Browsers have passkeys on secure origins alone, and for names, not for addresses of machines.
  const isAddress = /^[\d.]+$|:/.test(window.location.hostname);
  if (!form || !way || !window.PublicKeyCredential || isAddress) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const challenge = async () => {
    const answer = await fetch("/api/v1/auth/passkeys/options/", {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: "{}",
      credentials: "omit",
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail || body.title);
    return {...body.public_key, challenge: bytes(body.public_key.challenge), allowCredentials: []};
  };

  // Written out: password managers that stand in for the browser don't always know `toJSON`.
  const shown = (credential) => ({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(credential.response.clientDataJSON),
      authenticatorData: text(credential.response.authenticatorData),
      signature: text(credential.response.signature),
      userHandle: credential.response.userHandle ? text(credential.response.userHandle) : null,
    },
  });

  const say = (error) =>
    error.name === "NotAllowedError" ? "No passkey was used." : `That did not work: ${error.message}`;

  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = "";
    try {
      const credential = await navigator.credentials.get({publicKey: await challenge()});
      form.elements.namedItem("passkey").value = JSON.stringify(shown(credential));
      form.submit();
    } catch (error) {
      status.textContent = say(error);
      button.disabled = false;
    }
  });
  way.hidden = false;
})();
