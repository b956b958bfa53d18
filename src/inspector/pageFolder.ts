/** Where the built page lies: beside this file in a build; sources run as they are use the build, too. */
export const PAGE_FOLDER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/inspector/page/' : './page/',
  import.meta.url,
);
