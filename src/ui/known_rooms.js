// Runs before the page is painted, so that nothing moves when the module adds the visitor's rooms: tells the styles
// whether this browser knows another room than the one of this page, and how wide the visitor wants the rail.
try {
  const root = document.documentElement.dataset;
  const open = decodeURIComponent(location.pathname.split("/")[1]);
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("parlour:read:") && key.slice(13) !== open) root.rooms = "";
    if (key === "parlour:rail") root.rail = "narrow";
  }
} catch {}
