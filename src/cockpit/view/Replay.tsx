import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { useEffect, useState } from 'react';
import { wordsOf } from '../daemon.js';
import { replayed } from '../samepagectl.js';
import { _, filled } from '../text.js';

/** What a policy would have made of the recorded history, for somebody who asks; samepaged's report is English. */
export function Replay({ policy }: { readonly policy: string }) {
  const [report, setReport] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    setReport(undefined);
  }, [policy]);
  const replay = async () => {
    setBusy(true);
    setReport(await replayed(policy).catch(wordsOf));
    setBusy(false);
  };
  return (
    <div className="replay">
      <Button variant="link" isInline isLoading={isBusy} isDisabled={isBusy} onClick={() => void replay()}>
        {filled(_('What would $0 have made of the recorded history?'), policy)}
      </Button>
      {report !== undefined && (
        <pre dir="ltr" lang="en" tabIndex={0} role="region" aria-label={_('Simulated')}>
          {report}
        </pre>
      )}
    </div>
  );
}
