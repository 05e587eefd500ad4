/**
 * Streamlit tells a person that its server is away by a dialog over the page, which takes the keyboard. The desk goes on
 * without the server and says itself what is not saved yet, so that dialog is closed as soon as it appears.
 */
const DIALOG = '[data-testid="stDialog"]';

/** @returns {() => void} stops it */
export function keepQuiet() {
  const style = document.createElement("style");
  style.textContent = `${DIALOG} { display: none !important; }`;
  document.head.append(style);
  const close = () => document.querySelector(`${DIALOG} button[aria-label="Close"]`)?.click();
  const watch = new MutationObserver(close);
  watch.observe(document.body, { childList: true, subtree: true });
  close();
  return () => {
    watch.disconnect();
    style.remove();
  };
}
