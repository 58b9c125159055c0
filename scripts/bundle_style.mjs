// Bundles a style sheet with what it imports, for the browsers of a browserslist query, without needless bytes.
//
//   node scripts/bundle_style.mjs style/main.css target/site-release/pkg/parlour.css defaults

import { writeFileSync } from "node:fs";
import browserslist from "browserslist";
import { browserslistToTargets, bundle } from "lightningcss";

const [from, to, browsers] = process.argv.slice(2);
const { code, warnings } = bundle({ filename: from, minify: true, targets: browserslistToTargets(browserslist(browsers)) });
if (warnings.length > 0) throw new Error(warnings.map(({ message }) => message).join("\n"));
writeFileSync(to, code);
