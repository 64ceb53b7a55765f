import '@patternfly/react-styles/css/components/FormControl/form-control.css';
import '@patternfly/react-styles/css/components/Label/label.css';
import '@patternfly/react-styles/css/components/Title/title.css';
import type { ReactNode } from 'react';

// Parts of which PatternFly's own components bring more than the page needs: together they would double its size.

export interface TagProps {
  readonly colour: 'green' | 'grey' | 'orange' | 'red' | 'blue';
  readonly children: ReactNode;
}

/** PatternFly's label. */
export function Tag({ colour, children }: TagProps) {
  const modifier = colour === 'grey' ? '' : ` pf-m-${colour}`;
  return (
    <span className={`pf-v6-c-label pf-m-compact${modifier}`}>
      <span className="pf-v6-c-label__content">
        <span className="pf-v6-c-label__text">{children}</span>
      </span>
    </span>
  );
}

export interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Search({ label, value, onChange }: SearchProps) {
  return (
    <span className="pf-v6-c-form-control search">
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={({ target }) => {
          onChange(target.value);
        }}
      />
    </span>
  );
}

/** The page's heading, with what stands beside it. */
export function Head({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="head">
      <h1 className="pf-v6-c-title pf-m-2xl">{title}</h1>
      {children}
    </div>
  );
}
