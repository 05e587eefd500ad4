/** Whether somebody is there: input, the page hidden or seen again, the page left. */
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel"];

/**
 * @param {{touched: () => void, hidden: () => void, seen: () => void, left: () => void}} on
 * @returns {() => void} stop watching
 */
export function watch(on) {
  const turned = () => (document.hidden ? on.hidden() : on.seen());
  for (const name of INPUT) window.addEventListener(name, on.touched, { capture: true, passive: true });
  document.addEventListener("visibilitychange", turned);
  window.addEventListener("pagehide", on.left);
  return () => {
    for (const name of INPUT) window.removeEventListener(name, on.touched, { capture: true });
    document.removeEventListener("visibilitychange", turned);
    window.removeEventListener("pagehide", on.left);
  };
}
