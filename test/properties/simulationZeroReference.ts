// ksmd and empty pages since Linux 6.12, a page at a time, with the unstable tree as a tree: mm/ksm.c's
// cmp_and_merge_page(), unstable_tree_search_insert() and split_huge_page(), which frees the empty pages of a huge page.

export interface ZeroPage {
  /** What is in it; '' is nothing but zeros, which compares lowest. */
  readonly content: string;
  /** Its huge page; undefined once that is split, and for what never was in one. */
  huge: number | undefined;
  /** Mapped to the zero page by a split: ksmd no longer sees it. */
  freed: boolean;
  /** Mapped to the zero page by KSM. */
  zeroed: boolean;
  checksum: string | undefined;
  shared: boolean;
}

interface Node {
  readonly page: ZeroPage;
  left: Node | undefined;
  right: Node | undefined;
}

/** A search in a balanced tree leads past the nodes in its middle first; here the tree is made as balanced as it can be. */
function balanced(nodes: readonly Node[]): Node | undefined {
  const middle = nodes.length >> 1;
  const node = nodes[middle];
  if (node === undefined) return undefined;
  return { page: node.page, left: balanced(nodes.slice(0, middle)), right: balanced(nodes.slice(middle + 1)) };
}

export class ZeroReference {
  readonly pages: ZeroPage[];
  private readonly useZeroPages: boolean;
  private readonly stable = new Set<string>();
  /** In the order of their contents. */
  private nodes: Node[] = [];
  private tree: Node | undefined;

  constructor(pages: ZeroPage[], useZeroPages: boolean) {
    this.pages = pages;
    this.useZeroPages = useZeroPages;
  }

  /** Pages that take no memory, or share it. */
  get savedPages(): number {
    const shared = this.pages.filter((page) => page.shared).length;
    return this.pages.filter(({ freed, zeroed }) => freed || zeroed).length + shared - this.stable.size;
  }

  get unsharedPages(): number {
    return this.nodes.filter(({ page }) => !page.freed).length;
  }

  pass(): void {
    this.nodes = [];
    this.tree = undefined;
    for (const page of this.pages) if (!page.freed && !page.zeroed && !page.shared) this.look(page);
  }

  private look(page: ZeroPage): void {
    const { content } = page;
    if (page.checksum !== content) {
      page.checksum = content;
      return;
    }
    if (content === '' && this.useZeroPages) {
      // Freed by the split it is not there to be mapped, and goes on to the trees.
      if (!this.split(page)) {
        page.zeroed = true;
        return;
      }
    }
    if (this.stable.has(content)) {
      page.shared = !this.split(page);
      return;
    }
    this.searchUnstable(page);
  }

  private searchUnstable(page: ZeroPage): void {
    let node = this.tree;
    while (node !== undefined) {
      const other = node.page;
      if (other.freed) return;
      if (other.content === page.content) {
        this.merge(page, other);
        return;
      }
      node = page.content < other.content ? node.left : node.right;
    }
    this.nodes = [...this.nodes, { page, left: undefined, right: undefined }].toSorted((a, b) =>
      a.page.content < b.page.content ? -1 : 1,
    );
    this.tree = balanced(this.nodes);
  }

  private merge(page: ZeroPage, other: ZeroPage): void {
    if (page.freed) return;
    if (page.huge !== undefined && page.huge === other.huge) {
      this.split(page);
      return;
    }
    if (this.split(page) || this.split(other)) return;
    page.shared = true;
    other.shared = true;
    this.stable.add(page.content);
    this.nodes = this.nodes.filter((node) => node.page !== other);
    this.tree = balanced(this.nodes);
  }

  /**
   * Every page of its huge page is one for itself then, but for the empty ones, which are gone.
   *
   * @returns whether this one is.
   */
  private split(page: ZeroPage): boolean {
    const { huge } = page;
    if (huge === undefined) return page.freed;
    for (const each of this.pages.filter((other) => other.huge === huge)) {
      each.huge = undefined;
      each.freed = each.content === '';
    }
    return page.freed;
  }
}
