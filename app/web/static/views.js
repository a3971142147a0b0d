// One page, several views; STOP is on all of them. The view is in the address, so that "back" works.
const NAMES = ["drive", "sessions", "label", "calibrate", "about"];

export function startViews(shown) {
  const show = () => {
    const asked = location.hash.slice(1);
    const name = NAMES.includes(asked) ? asked : "drive";
    for (const one of NAMES) {
      document.getElementById(`view-${one}`).hidden = one !== name;
      const link = document.querySelector(`nav a[href="#${one}"]`);
      if (one === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    shown(name);
  };
  addEventListener("hashchange", show);
  show();
}
